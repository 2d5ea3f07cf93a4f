"""`--fail-on-regression`: what counts as worse than the first variant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.commands.compare import model
from bench.commands.compare.statistics.figures import ChangeKind
from bench.commands.compare.statistics.table import FigureTable
from bench.common.failures import IncomparableError

# docs/compare.md has the false alarms of both.
LEAST_CHANGE_IN_ROUNDS = 0.1
# Of single runs nothing says how one differs from the next: two of the same stack have differed by 75 %.
LEAST_CHANGE_OF_SINGLE_RUNS = 1.0


@dataclass(frozen=True)
class GateLimits:
    """Least changes that count as worse. An improvement never does, however it is computed."""

    least_change: float | None = None
    """Relative to the first variant: 0.1 is 10 %. None: the default for what the intervals stand on."""
    latency_floor_s: float = 0.01
    """A latency that differs by less than this is not worse, however large the change is relatively."""


@dataclass(frozen=True)
class _Gated:
    higher_is_better: bool = False
    floor: float | None = None
    """In the figure's unit; None: that of latencies."""


GATED: Mapping[str, _Gated] = {
    "latency_p50_s": _Gated(),
    "latency_p95_s": _Gated(),
    "latency_p99_s": _Gated(),
    "throughput_rps": _Gated(higher_is_better=True, floor=1.0),
    "error_rate": _Gated(floor=0.001),
    "tasks_cpu_us_per_request": _Gated(floor=10.0),
}


# Of comparisons in which nothing differs, at most so many may be called a regression. docs/compare.md has
# the measured rate.
FALSE_ALARM_RATE = 0.02


def confidence(variants: int) -> float:
    """The confidence of each interval with which all of them together give so few false alarms.

    An alarm takes one end of one interval, so each end gets an equal part of the rate (Bonferroni).

    Args:
        variants: how many there are, the first included; two at least.
    """
    return 1 - 2 * FALSE_ALARM_RATE / (len(GATED) * (variants - 1))


def judge(table: FigureTable, limits: GateLimits, *, in_rounds: bool) -> model.Gate:
    """Each gated figure of each variant but the first, as far as its change has an interval.

    Args:
        table: of intervals with the `confidence` of so many variants.
        in_rounds: whether the intervals say how rounds differ.

    Raises:
        IncomparableError: latencies have none, because there are no samples.
    """
    least_change = limits.least_change
    if least_change is None:
        least_change = LEAST_CHANGE_IN_ROUNDS if in_rounds else LEAST_CHANGE_OF_SINGLE_RUNS
    judged = []
    variants = len(next(iter(table.values())))
    for name, gated in GATED.items():
        (baseline, first), *others = table[name].items()
        for variant, other in others:
            if other.change is not None and other.change.interval is not None:
                # Where there is a change, there are two values.
                value, other_value = first.value or 0.0, other.value or 0.0
                amount = value - other_value if gated.higher_is_better else other_value - value
                relative = amount / value if value else None
                agrees = _worse_throughout(other.change.kind, other.change.interval, gated)
                floor = limits.latency_floor_s if gated.floor is None else gated.floor
                is_worse = amount > 0 and amount >= floor and (relative is None or relative >= least_change)
                judged.append(
                    model.Judged(
                        figure=name,
                        variant=variant,
                        regressed=is_worse and agrees,
                        worse_by=relative,
                        worse_by_amount=amount,
                        interval_agrees=agrees,
                    )
                )
            elif gated.floor is None:
                raise IncomparableError(
                    f"{variant} cannot be held against {baseline}: there are no samples of both, and nothing else says "
                    "how sure a change is; keep samples.npz beside each report.json"
                )
    return model.Gate(
        least_change=least_change,
        latency_floor_s=limits.latency_floor_s,
        confidence=confidence(variants),
        judged=judged,
    )


def _worse_throughout(kind: ChangeKind, interval: model.Interval, gated: _Gated) -> bool:
    """Whether all of the interval of a change lies on the worse side of no change."""
    unchanged = 1.0 if kind == "ratio" else 0.0
    return interval.high < unchanged if gated.higher_is_better else interval.low > unchanged


def regressions(gate: model.Gate) -> str:
    """In words, what got worse; empty where nothing did."""
    return ", ".join(
        f"{judged.figure} of {judged.variant}" + (f" by {judged.worse_by:.1%}" if judged.worse_by is not None else "")
        for judged in gate.judged
        if judged.regressed
    )
