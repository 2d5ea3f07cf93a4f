"""`python -m bench explain`: every step of the ladder side by side, loaded in turn, then probed one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from bench.commands.compare.stacks import ComparedIndex, StackComparison
from bench.commands.compare.variants import CompareParameters, StackVariant
from bench.commands.explain.build import report_explanation
from bench.commands.explain.ladder import PEER, LadderStep, ladder
from bench.commands.explain.mixing import packages_to_mix, upload_interleaved
from bench.commands.explain.model import Explanation, Probes
from bench.commands.explain.page import around
from bench.commands.explain.probes import spread_over_tasks, time_health_checks, use_after_idling
from bench.commands.parameters import Options
from bench.packages.factory import Wheel
from bench.runtime.run import Run

# Costs a task next to nothing in every step, and needs no password: what is measured is the connection.
_CHEAP_PATH = "/health"


class Ladder:
    """One climb. `work` puts every step up and measures it, `down` takes down what `work` got to."""

    def __init__(self, steps: Sequence[LadderStep], parameters: CompareParameters, page: Path | None) -> None:
        """
        Args:
            parameters: its variants are `steps`.
            page: the page that the table is written into, if it is wanted there.
        """
        self._steps = steps
        self._page = page
        self._comparison = StackComparison(parameters)
        self._probes: dict[str, Probes] = {}

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
        return report_explanation(run, self._steps, self._comparison.compared, self._probes, self._page)


def job(
    *,
    rounds: int,
    engine: Literal["auto", "pulumi", "embedded"],
    tasks: int | None,
    write: Path | None,
    steps: Sequence[LadderStep] | None = None,
    options: Options,
    **_: Any,
) -> Ladder:
    """The climb that the command line asks for.

    Raises:
        UsageError: a value makes no sense, or the page has no place for the table.
    """
    steps = ladder() if steps is None else steps
    parameters = CompareParameters(
        variants=[StackVariant(step.name, PEER, step.overrides) for step in steps],
        rounds=rounds,
        against=None,
        engine=engine,
        tasks=tasks,
        # One cookie jar for all clients, as in the test that the Terraform module publishes: else no cookie sticks.
        options={"workload": "burst", "cookies": "shared", **options},
        limits=None,
    )
    if write is not None:
        around(write)  # before anything is measured
    return Ladder(steps, parameters, write)


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
