"""`python -m bench compare --stacks`: several stacks side by side on this machine, loaded in turn.

All are up from the beginning, because a stack without load costs next to nothing; one takes load at a time. The rounds
take turns, so that whatever happens to the machine meanwhile happens to all of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bench.commands.compare import model
from bench.commands.compare.build import Compared, report_comparison
from bench.commands.compare.measure import measure
from bench.commands.compare.rounds import Contender, Round
from bench.commands.compare.sameness import in_words, require_equal
from bench.commands.compare.standing import Description, Standing, StandingLimit, StandingStack
from bench.commands.compare.variants import LIMIT, CompareParameters, Variant
from bench.commands.parameters import limits_parameter, load_parameters
from bench.common.failures import UnavailableError, UsageError
from bench.deployment.engine import StackConfig
from bench.deployment.local import PROJECT_FOLDER
from bench.deployment.stack_config import load_stack
from bench.load.parameters import LoadParameters
from bench.packages.factory import Wheel
from bench.report.run_folder import RunFolder
from bench.runtime.measurement import prepared_uploads, workload_of
from bench.runtime.run import Run
from bench.runtime.teardown import take_down

WARM_UP_ROUNDS = 1


class _Configured(NamedTuple):
    variant: Variant
    config: StackConfig
    limits: Literal["auto", "off"]


class StackComparison:
    """One comparison of stacks. `work` puts all of them up and loads them, `down` takes down what `work` got to."""

    def __init__(self, parameters: CompareParameters) -> None:
        self._parameters = parameters
        self.standing: list[Standing] = []
        self.compared = Compared(parameters.limits)

    def work(self, run: Run) -> None:
        """Everything up to the last round."""
        configs, load = _configured(self._parameters)
        run.findings.seed = load.seed

        run.step("packages")
        wheels = run.wheels(load.package_set)
        uploads = prepared_uploads(load, run, WARM_UP_ROUNDS + self._parameters.rounds)
        run.findings.workload = workload_of(load, wheels)

        self.standing = _lined_up(self._parameters, configs, run)
        folders = [run.folder.part(_folder_name(*numbered)) for numbered in enumerate(self.standing, start=1)]
        for standing, folder in zip(self.standing, folders, strict=True):
            _put_up(run, standing, folder, wheels)
        self._send_rounds(run, load, sorted({wheel.name for wheel in wheels}), uploads, folders)

    def _send_rounds(
        self,
        run: Run,
        load: LoadParameters,
        packages: Sequence[str],
        uploads: Sequence[Path],
        folders: Sequence[RunFolder],
    ) -> None:
        descriptions = [standing.describe() for standing in self.standing]
        self.compared.differing = _differing(self.standing, descriptions)
        self.compared.warm_up_rounds = WARM_UP_ROUNDS
        uploads_each = load.workload.uploads_needed()
        for number in range(WARM_UP_ROUNDS + self._parameters.rounds):
            name = f"round {number}" if number >= WARM_UP_ROUNDS else "warm-up"
            # Other packages in each round, and the same for every variant.
            own_load = replace(load, seed=load.seed + number)
            own_uploads = uploads[number * uploads_each : (number + 1) * uploads_each]
            measured: dict[int, Round] = {}
            # Every other round in the opposite order, so that no variant is always the one that is loaded second.
            for index in sorted(range(len(self.standing)), reverse=number > 0 and number % 2 == 0):
                standing = self.standing[index]
                run.step(f"{name}: {standing.name}")
                own_folder = folders[index].part(name.replace(" ", "-"))
                measured[index] = measure(run, standing, own_load, packages, own_uploads, own_folder)
            if number >= WARM_UP_ROUNDS:
                for index, standing in enumerate(self.standing):
                    standing.rounds.append(measured[index])
                self.compared.contenders = [*map(_contender, self.standing, descriptions)]
        for standing in self.standing:
            run.findings.warnings += [f"{standing.name}: {sentence}" for sentence in standing.processes.oom_sentences()]

    def down(self, run: Run) -> None:
        """Take everything down, processes before resources, each part whatever became of the others."""
        stops = [standing.stop for standing in self.standing]
        deletes = [standing.delete for standing in self.standing]
        run.findings.teardown = take_down((*stops, *deletes, run.scratch.remove))

    def report(self, run: Run) -> model.Comparison:
        """The comparison, as far as it got: of the rounds that every variant was through."""
        return report_comparison(run, self.compared)


def _configured(parameters: CompareParameters) -> tuple[list[_Configured], LoadParameters]:
    """The configuration of each stack, and the load, which has to be the same for all of them."""
    loaded = [load_stack(PROJECT_FOLDER, variant.stack, variant.overrides) for variant in parameters.variants]
    loads = [load_parameters(parameters.options, bench_values) for _, bench_values in loaded]
    for variant, load in zip(parameters.variants, loads, strict=True):
        require_equal(parameters.variants[0].name, _shape(loads[0]), variant.name, _shape(load))
    if parameters.against_limit and loads[0].workload.uploads_needed():
        raise UsageError(
            f"--against limit takes no uploads, which are part of the workload {loads[0].workload.name}: leave it out"
        )
    configured = [
        _Configured(variant, config, limits_parameter({}, bench_values))
        for variant, (config, bench_values) in zip(parameters.variants, loaded, strict=True)
    ]
    return configured, loads[0]


def _shape(load: LoadParameters) -> Mapping[str, Any]:
    workload = {"name": load.workload.name, "clients": load.workload.clients, "packages": load.packages}
    return {"seed": load.seed, "workload": {**workload, **load.as_dict()}}


def _lined_up(parameters: CompareParameters, configs: Sequence[_Configured], run: Run) -> list[Standing]:
    """The variants in their order, none of them up yet. The limit stands beside the last stack."""
    scratch = run.scratch.path
    stacks = [
        StandingStack(one.variant.name, one.config, parameters, scratch / str(number), one.limits)
        for number, one in enumerate(configs, start=1)
    ]
    return [*stacks, StandingLimit(stacks[-1], scratch / LIMIT)] if parameters.against_limit else [*stacks]


def _put_up(run: Run, standing: Standing, folder: RunFolder, wheels: Sequence[Wheel]) -> None:
    try:
        standing.up(run, folder, wheels)
    except (UsageError, UnavailableError) as error:
        raise type(error)(f"{standing.name}: {error}") from error


def _folder_name(number: int, standing: Standing) -> str:
    return f"{number}-{re.sub(r'[^a-zA-Z0-9_.=-]+', '-', standing.name).strip('-')}"


def _contender(standing: Standing, description: Description) -> Contender:
    per_task: Counter[str] = Counter()
    for round_ in standing.rounds:
        per_task.update(round_.per_task)
    variant = model.ComparedVariant(
        name=standing.name,
        report=None,
        stack=description.stack,
        settings=description.settings,
        plan=description.plan,
        tasks_run=len(per_task),
        rounds=len(standing.rounds),
        requests=sum(round_.requests for round_ in standing.rounds),
        failed=sum(round_.failed for round_ in standing.rounds),
        per_task=dict(sorted(per_task.items())),
        notes=description.notes,
    )
    return Contender(variant, tuple(standing.rounds))


def _differing(standing: Sequence[Standing], descriptions: Sequence[Description]) -> list[str]:
    """In what the stacks differ from the first: this is what is compared."""
    (first, described), *others = zip(standing, descriptions, strict=True)
    return [
        sentence
        for other, description in others
        if description.stack is not None
        for sentence in in_words(first.name, _setup(first, described), other.name, _setup(other, description))
    ]


def _setup(standing: Standing, description: Description) -> Mapping[str, Any]:
    plan = description.plan.model_dump() if description.plan is not None else {}
    enforced = standing.processes.enforced
    return {
        **description.settings,
        "plan": plan,
        "tasks run": len(standing.processes.tasks),
        "memory limits enforced": enforced.memory,
        "CPU shares enforced": enforced.cpu_shares,
        "vCPUs enforced": enforced.vcpus_per_instance,
    }
