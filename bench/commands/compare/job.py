"""The comparison that a command line asks for: of stacks side by side, or of reports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from bench.commands.compare.reports import ReportComparison
from bench.commands.compare.stacks import Rival, StackComparison, StackVariant
from bench.commands.compare.statistics.gate import GateLimits
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
        variants=parse_stacks(_DEFAULT_STACK if stacks is None else stacks, overrides),
        rounds_each=ROUNDS if rounds is None else rounds,
        engine=engine or "auto",
        tasks=tasks,
        options=options,
        against=against,
        limits=limits,
    )


def _limits(fail_on_regression: bool, least_change: float | None, latency_floor_s: float | None) -> GateLimits | None:
    given = {"least_change": least_change, "latency_floor_s": latency_floor_s}
    chosen = {name: value for name, value in given.items() if value is not None}
    for name in chosen:
        if not fail_on_regression:
            raise UsageError(f"{spelling(name)} changes nothing without --fail-on-regression")
    return GateLimits(**chosen) if fail_on_regression else None


def parse_stacks(text: str, overrides: Sequence[str] = ()) -> tuple[StackVariant, ...]:
    """The variants of `--stacks`, such as `peer,stress:backend=simple-dir:gunicorn_keepalive_s=2`.

    A variant that is named twice is measured twice: how far apart two of the same are is worth knowing.

    Args:
        overrides: what is put over every stack; a variant's own come after them.

    Raises:
        UsageError: a name is missing, or an override is not KEY=VALUE.
    """
    variants: list[StackVariant] = []
    for part in text.split(","):
        stack, *words = (word.strip() for word in part.split(":"))
        own = _settings(words)
        if not stack or "=" in stack or any("=" not in setting for setting in own):
            raise UsageError(
                f"--stacks {text}: expected stacks with commas between them, each with its own settings behind colons, "
                "such as peer,stress:backend=simple-dir"
            )
        name = ":".join((stack, *own))
        times = sum(variant.name.split(" ")[0] == name for variant in variants)
        variants.append(StackVariant(f"{name} ({times + 1})" if times else name, stack, (*overrides, *own)))
    return tuple(variants)


def _settings(words: Sequence[str]) -> list[str]:
    """A word that sets nothing is the namespace of the one behind it, as in `bench:seed=7`."""
    settings: list[str] = []
    for word in words:
        if settings and "=" not in settings[-1]:
            settings[-1] += f":{word}"
        else:
            settings.append(word)
    return settings
