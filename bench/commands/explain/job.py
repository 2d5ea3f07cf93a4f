"""`python -m bench explain`: every step of the ladder side by side, loaded in turn, then probed one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from bench.commands.compare.model import MeasuredFigure
from bench.commands.compare.stacks import ComparedIndex, StackComparison, StackVariant
from bench.commands.compare.statistics.bootstrap import Bootstrap
from bench.commands.compare.statistics.rounds import Contender
from bench.commands.compare.statistics.table import figures_table
from bench.commands.explain.blocks import EXPLANATION, page_blocks
from bench.commands.explain.ladder import PEER, LadderStep
from bench.commands.explain.mixing import packages_to_mix, upload_interleaved
from bench.commands.explain.model import Explanation, Probes, StepResult
from bench.commands.explain.page import around, write_between
from bench.commands.explain.probes import spread_over_tasks, time_health_checks, use_after_idling
from bench.commands.parameters import Options
from bench.common.failures import UsageError
from bench.packages.factory import Wheel
from bench.report.formats.markdown import markdown_text
from bench.runtime.run import Run

# Costs a task next to nothing in every step, and needs no password: what is measured is the connection.
_CHEAP_PATH = "/health"


class Ladder:
    """One climb. `work` puts every step up and measures it, `down` takes down what `work` got to."""

    def __init__(
        self,
        steps: Sequence[LadderStep],
        *,
        rounds: int,
        engine: Literal["auto", "pulumi", "embedded"],
        tasks: int | None,
        page: Path | None,
        options: Options,
    ) -> None:
        """
        Args:
            page: the page that the table is written into, if it is wanted there.

        Raises:
            UsageError: the page has no place for the table.
        """
        if page is not None:
            around(page)  # before anything is measured
        self._steps = steps
        self._page = page
        self._probes: dict[str, Probes] = {}
        self._comparison = StackComparison(
            variants=[StackVariant(step.name, PEER, step.overrides) for step in steps],
            rounds_each=rounds,
            engine=engine,
            tasks=tasks,
            # One cookie jar for all clients, as in the test that the Terraform module publishes: else no cookie sticks.
            options={"workload": "burst", "cookies": "shared", **options},
        )

    def work(self, run: Run) -> None:
        run.step("packages to interleave")
        wheels = run.wheels(packages_to_mix())
        self._comparison.work(run)
        for one in self._comparison.indexes:
            one.run.step("probe")
            self._probes[one.name] = run.wait_for(_probe(one, wheels))

    def down(self, run: Run) -> None:
        self._comparison.down(run)

    def report(self, run: Run) -> Explanation:
        """Compute the figures of what was measured, and write the explanation and the page.

        The page keeps what it has where the measurement failed or was not finished.
        """
        compared = self._comparison
        contenders = {contender.variant.name: contender for contender in compared.contenders}
        figures = step_figures(compared.contenders, Bootstrap(compared.rounds, run.record.seed))
        own = {
            "workload": run.record.workload,
            "rounds": compared.rounds,
            "warm_up_rounds": compared.warm_up_rounds,
            "steps": [
                _result(step, contenders.get(step.name), figures.get(step.name, {}), self._probes.get(step.name))
                for step in self._steps
            ],
        }
        explanation = run.conclude(EXPLANATION, **own)
        if self._page is not None and explanation.exit_code == 0:
            try:
                write_between(self._page, markdown_text(page_blocks(explanation)))
            except UsageError as error:
                run.record.fail(error.exit_code, str(error))
                return run.conclude(EXPLANATION, **own)
        return explanation


async def _probe(one: ComparedIndex, wheels: Sequence[Wheel]) -> Probes:
    """The uploads come last: what they leave would be more for a health check to count."""
    target, tasks = one.target, one.index.task_access()
    assert tasks is not None, "the steps are stacks on this machine"
    cheap_path = f"{target.base_path}{_CHEAP_PATH}"
    return Probes(
        spread=await spread_over_tasks(target, cheap_path, tasks.requests_by_task),
        health_check=await time_health_checks(tasks.urls, tasks.health_check_path),
        idle=await use_after_idling(target, cheap_path),
        mixing=await upload_interleaved(target, wheels),
    )


def step_figures(contenders: Sequence[Contender], bootstrap: Bootstrap) -> dict[str, dict[str, MeasuredFigure]]:
    """The figures of each step, by its name; their changes are to the step before."""
    figures = {}
    for number, step in enumerate(contenders):
        table = figures_table(contenders[max(0, number - 1) : number + 1], bootstrap)
        figures[step.variant.name] = {name: row[step.variant.name] for name, row in table.items()}
    return figures


def _result(
    step: LadderStep, contender: Contender | None, figures: Mapping[str, MeasuredFigure], probes: Probes | None
) -> StepResult:
    variant = contender.variant if contender is not None else None
    return StepResult(
        name=step.name,
        setting=step.setting,
        overrides=list(step.overrides),
        requests=variant.requests if variant else 0,
        failed=variant.failed if variant else 0,
        per_task=variant.per_task if variant else {},
        figures=dict(figures),
        probes=probes,
    )
