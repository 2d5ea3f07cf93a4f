"""`python -m bench compare --stacks`: several stacks side by side on this machine, loaded in turn.

All are up from the beginning, because a stack without load costs next to nothing; one takes load at a time. The rounds
take turns, so that whatever happens to the machine meanwhile happens to all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from bench.commands.compare import model
from bench.commands.compare.build import ComparisonJob
from bench.commands.compare.sameness import difference_sentences, require_equal
from bench.commands.compare.statistics.rounds import Contender, Round
from bench.commands.parameters import Options, enforces_limits, load_parameters
from bench.common.failures import ExitCode, UsageError
from bench.common.natural_order import natural_order
from bench.deployment import IndexUnderTest, TaskFailures
from bench.deployment.description import NO_LIMITS
from bench.deployment.local import LocalIndex, LocalOptions
from bench.deployment.reference.devpi import DevpiIndex
from bench.deployment.reference.nginx import NginxIndex
from bench.deployment.stack_config import PROJECT_FOLDER, load_stack
from bench.index.target import Target
from bench.load.parameters import LoadParameters
from bench.packages.factory import Wheel
from bench.report.redact import hide
from bench.runtime.run import Run
from bench.runtime.steps import Measurement, fill, measure, prepared_uploads, stand_up, take_down, workload_of

WARM_UP_ROUNDS = 1
Rival = Literal["limit", "devpi"]
"""Value of `--against`, and name of the variant that it adds."""


@dataclass(frozen=True)
class StackVariant:
    """A stack file, and the settings that are put over it."""

    name: str
    stack: str
    overrides: tuple[str, ...] = ()
    """`key=value`, as `-c` takes them."""


class ComparedIndex:
    """One side of a comparison, with what it measured."""

    target: Target
    """Where its load goes, once it is up."""

    def __init__(self, run: Run, index: IndexUnderTest) -> None:
        self.run = run
        self.name = run.name
        self.index = index
        self.rounds: list[Round] = []
        """Those that count."""

    def up(self, wheels: Sequence[Wheel]) -> None:
        self.target = stand_up(self.run, self.index)
        fill(self.run, self.index, self.target, wheels)


@dataclass(kw_only=True)
class StackComparison(ComparisonJob):
    """One comparison of stacks. `work` puts all of them up and loads them, `down` takes down what `work` got to.

    Raises:
        UsageError: there is one stack only, and nothing else to compare it with.
    """

    variants: Sequence[StackVariant]
    rounds_each: int
    engine: Literal["auto", "pulumi", "embedded"]
    tasks: int | None
    """Of each stack; None: as many as this machine can run honestly."""
    options: Options
    against: Rival | None = None
    indexes: list[ComparedIndex] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        if len(self.variants) < 2 and self.against is None:
            raise UsageError(
                f"--stacks {self.variants[0].name}: one stack alone is no comparison: name another after a comma, "
                f"or add {' or '.join(f'--against {name}' for name in get_args(Rival))}"
            )

    def work(self, run: Run) -> None:
        stacks, load = self._configured()
        run.record.seed = load.seed

        run.step("packages")
        wheels = run.wheels(load.package_set)
        packages = sorted({wheel.name for wheel in wheels})
        uploads = prepared_uploads(run, load, WARM_UP_ROUNDS + self.rounds_each)
        run.record.workload = workload_of(load, len(packages), len(wheels), load.package_set.digest())

        self.indexes = self._lined_up(run, stacks, wheels)
        for one in self.indexes:
            one.up(wheels)
        self._send_rounds(load, packages, uploads)

    def _configured(self) -> tuple[list[LocalIndex], LoadParameters]:
        """Each stack, and the load, which has to be the same for all of them."""
        loaded = [load_stack(PROJECT_FOLDER, variant.stack, variant.overrides) for variant in self.variants]
        loads = [load_parameters(self.options, bench_values) for _, bench_values in loaded]
        for variant, load in zip(self.variants, loads, strict=True):
            require_equal(self.variants[0].name, _shape(loads[0]), variant.name, _shape(load))
        workload = loads[0].workload
        if self.against == "limit" and workload.shape.uploads:
            raise UsageError(
                f"--against limit takes no uploads, which are part of the workload {workload.name}: leave it out"
            )
        stacks = [
            LocalIndex(config, LocalOptions(self.engine, self.tasks, enforces_limits({}, bench_values)))
            for config, bench_values in loaded
        ]
        return stacks, loads[0]

    def _lined_up(self, run: Run, stacks: Sequence[LocalIndex], wheels: Sequence[Wheel]) -> list[ComparedIndex]:
        """The variants in their order, none of them up yet. What `--against` names stands beside the last stack."""
        names = [variant.name for variant in self.variants]
        indexes: list[tuple[str, IndexUnderTest]] = [*zip(names, stacks, strict=True)]
        match self.against:
            case "limit":
                indexes.append(("limit", NginxIndex(stacks[-1], names[-1], wheels)))
            case "devpi":
                indexes.append(("devpi", DevpiIndex(stacks[-1], names[-1])))
        return [ComparedIndex(run.part(number, name), index) for number, (name, index) in enumerate(indexes, start=1)]

    def _send_rounds(self, load: LoadParameters, packages: Sequence[str], uploads: Sequence[Path]) -> None:
        self.differing = _differing(self.indexes)
        self.warm_up_rounds = WARM_UP_ROUNDS
        uploads_each = load.workload.shape.uploads
        for number in range(WARM_UP_ROUNDS + self.rounds_each):
            name = f"round {number}" if number >= WARM_UP_ROUNDS else "warm-up"
            # Other packages in each round, and the same for every variant.
            own_load = replace(load, seed=load.seed + number)
            own_uploads = uploads[number * uploads_each : (number + 1) * uploads_each]
            measured: dict[str, Round] = {}
            # Every other round in the opposite order, so that no variant is always the one that is loaded second.
            for one in self.indexes[:: -1 if number > 0 and number % 2 == 0 else 1]:
                own_run = replace(one.run, folder=one.run.folder.part(name.replace(" ", "-")))
                own_run.step(f"{name}:")
                measured[one.name] = _round(measure(own_run, one.index, one.target, own_load, packages, own_uploads))
            if number >= WARM_UP_ROUNDS:
                for one in self.indexes:
                    one.rounds.append(measured[one.name])
                self.contenders = [*map(_contender, self.indexes)]
        for one in self.indexes:
            note_oom_kills(one.run, one.index.task_failures())

    def down(self, run: Run) -> None:
        take_down(run, *(one.index.down for one in self.indexes))


def note_oom_kills(run: Run, failures: TaskFailures) -> None:
    """Warn of OOM kills. ECS replaces a task that ends with one; here its variant goes on with fewer tasks."""
    run.warn(failures.oom_kills)
    if failures.lost_tasks:
        lost = ", ".join(failures.lost_tasks)
        run.fail(ExitCode.UNTRUSTWORTHY, f"an OOM kill ended {lost}, so that the figures are of fewer tasks")


def _shape(load: LoadParameters) -> Mapping[str, Any]:
    workload = {"name": load.workload.name, "clients": load.workload.shape.clients, "packages": load.packages}
    return {"seed": load.seed, "workload": {**workload, **load.as_dict()}}


def _round(measurement: Measurement) -> Round:
    observation = measurement.observation
    all_tasks_known = len(observation.tasks_cpu_s) == len(observation.requests_by_task)
    return Round.of(
        measurement.samples,
        observation.requests_by_task,
        {
            "tasks": sum(observation.tasks_cpu_s.values()) if all_tasks_known else None,
            "balancer": observation.balancer_cpu_s,
            "generator": sum(measurement.generator.cpu_s),
        },
    )


def _contender(one: ComparedIndex) -> Contender:
    per_task: Counter[str] = Counter()
    for round_ in one.rounds:
        per_task.update(round_.per_task)
    description = one.index.describe()
    variant = model.ComparedVariant(
        name=one.name,
        report=None,
        stack=description.stack,
        settings=_settings(one),
        plan=description.plan,
        tasks_run=len(per_task),
        rounds=len(one.rounds),
        requests=sum(round_.requests for round_ in one.rounds),
        failed=sum(round_.failed for round_ in one.rounds),
        per_task={task: per_task[task] for task in sorted(per_task, key=natural_order)},
        notes=list(description.notes),
    )
    return Contender(variant, tuple(one.rounds))


def _settings(one: ComparedIndex) -> dict[str, str]:
    secrets = one.run.record.secrets
    return {key: hide(value, secrets) for key, value in one.index.describe().settings.items()}


def _differing(indexes: Sequence[ComparedIndex]) -> list[str]:
    """In what the stacks differ from the first: this is what is compared."""
    first, *others = indexes
    return [
        sentence
        for other in others
        if other.index.describe().stack is not None
        for sentence in difference_sentences(first.name, _setup(first), other.name, _setup(other))
    ]


def _setup(one: ComparedIndex) -> Mapping[str, Any]:
    description = one.index.describe()
    limits = (description.local and description.local.limits) or NO_LIMITS
    return {
        **_settings(one),
        "plan": description.plan.model_dump() if description.plan is not None else {},
        "tasks run": len(description.tasks),
        "memory limits enforced": limits.memory,
        "CPU shares enforced": limits.cpu_shares,
        "vCPUs enforced": limits.vcpus_per_instance,
    }
