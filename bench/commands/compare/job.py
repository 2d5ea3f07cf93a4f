"""The comparison that a command line asks for: of stacks side by side, or of reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from bench.commands.compare.reports import ReportComparison
from bench.commands.compare.stacks import StackComparison
from bench.commands.compare.statistics.gate import GateLimits
from bench.commands.compare.variants import CompareParameters, Rival, parse_stacks
from bench.commands.parameters import Options
from bench.common.failures import UsageError
from bench.common.ranges import spelling

ROUNDS = 5
# The stack of --against unless others are named.
_DEFAULT_STACK = "stress"


def job(
    reports: Sequence[Path],
    *,
    stacks: str | None,
    rounds: int | None,
    against: Rival | None,
    engine: Literal["auto", "pulumi", "embedded"] | None,
    overrides: tuple[str, ...],
    tasks: int | None,
    fail_on_regression: bool,
    least_change: float | None,
    latency_floor_s: float | None,
    options: Options,
    **_: Any,
) -> StackComparison | ReportComparison:
    """The comparison that the command line asks for.

    Raises:
        UsageError: there is nothing to compare, or an option that changes nothing.
    """
    limits = _limits(fail_on_regression, least_change, latency_floor_s)
    of_stacks = {"stacks": stacks, "rounds": rounds, "against": against, "engine": engine, "config": overrides or None}
    if reports:
        given = [name for name, value in {**of_stacks, "tasks": tasks, **options}.items() if value is not None]
        if given:
            raise UsageError(
                f"{spelling(given[0])} changes nothing where reports are compared: leave it out, or leave them out"
            )
        return ReportComparison(reports, limits)
    if stacks is None and against is None:
        raise UsageError(
            "there is nothing to compare: give --stacks peer,stress, or --against limit, or the folders of two runs"
        )
    return StackComparison(
        CompareParameters(
            variants=parse_stacks(_DEFAULT_STACK if stacks is None else stacks, overrides),
            rounds=ROUNDS if rounds is None else rounds,
            against=against,
            engine=engine or "auto",
            tasks=tasks,
            options=options,
            limits=limits,
        )
    )


def _limits(fail_on_regression: bool, least_change: float | None, latency_floor_s: float | None) -> GateLimits | None:
    given = {"least_change": least_change, "latency_floor_s": latency_floor_s}
    chosen = {name: value for name, value in given.items() if value is not None}
    for name in chosen:
        if not fail_on_regression:
            raise UsageError(f"{spelling(name)} changes nothing without --fail-on-regression")
    return GateLimits(**chosen) if fail_on_regression else None
