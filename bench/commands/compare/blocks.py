"""Layout of a comparison: comparison.json and comparison.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bench.commands.compare.model import Change, Comparison, Gate, Interval, MeasuredFigure
from bench.report import wording
from bench.report.blocks import Block, Cell, Note, Table
from bench.report.layout import Layout
from bench.report.wording import NOTHING, significant
from sizing.counted import counted

_HEADINGS: Mapping[str, str] = {
    "latency_p50_s": "latency p50, s",
    "latency_p95_s": "latency p95, s",
    "latency_p99_s": "latency p99, s",
    "throughput_rps": "throughput, req/s",
    "error_rate": "errors, %",
    "per_task_deviation": "unevenness of tasks, %",
    "tasks_cpu_us_per_request": "CPU of the tasks, us/request",
    "balancer_cpu_us_per_request": "CPU of the balancer, us/request",
    "generator_cpu_us_per_request": "CPU of the client, us/request",
}
_SHARES = ("error_rate", "per_task_deviation")


def figure_heading(figure: str) -> str:
    """Name of a figure, with its unit."""
    return _HEADINGS.get(figure, figure)


def figure_cells(figure: str, measured: MeasuredFigure) -> tuple[str, str, str, str]:
    """Value, its interval, the change to the first variant, its interval."""
    factor = 100.0 if figure in _SHARES else 1.0
    value = NOTHING if measured.value is None else significant(measured.value * factor)
    return (value, _interval(measured.interval, factor), *_change(measured.change, factor))


def _interval(interval: Interval | None, factor: float) -> str:
    if interval is None:
        return NOTHING
    return f"{significant(interval.low * factor)} .. {significant(interval.high * factor)}"


def _change(change: Change | None, factor: float) -> tuple[str, str]:
    """Ratios as factors, differences of shares in percentage points."""
    if change is None:
        return NOTHING, NOTHING
    if change.kind == "ratio":
        return f"x {significant(change.value)}", _interval(change.interval, 1.0)
    sign = "+" if change.value > 0 else ""
    return f"{sign}{significant(change.value * factor)}", _interval(change.interval, factor)


def _blocks(comparison: Comparison) -> Iterator[Block]:
    if comparison.workload is not None:
        yield Note(lines=[_rounds(comparison, comparison.workload.name)], shown="document")
    if comparison.figures:
        yield _figures(comparison)
        changes = f"Changes are to {comparison.variants[0].name}: factors, and percentage points for shares."
        yield Note(lines=[_basis(comparison), changes])
    if comparison.gate is not None:
        yield from _gate(comparison.gate)
    if comparison.variants:
        yield _variants(comparison)
        if notes := [f"{variant.name}: {note}" for variant in comparison.variants for note in variant.notes]:
            yield Note(lines=notes, form="list")
    if comparison.differing:
        yield Note(heading="What is not the same", label="not the same", lines=comparison.differing, form="list")


def _rounds(comparison: Comparison, workload: str) -> str:
    warm_up = ""
    if comparison.warm_up_rounds:
        does = "does" if comparison.warm_up_rounds == 1 else "do"
        warm_up = f", after {counted(comparison.warm_up_rounds, 'round')} each that {does} not count"
    return f"{counted(comparison.rounds, 'round')} of {workload} each, in turn{warm_up}."


def _figures(comparison: Comparison) -> Table:
    first = comparison.variants[0].name
    return Table(
        heading="Figures",
        columns=("figure", "variant", "value", "95 % interval", "change", "95 % interval"),
        left=(0, 1),
        rows=[
            (figure_heading(figure) if variant == first else "", variant, *figure_cells(figure, measured))
            for figure, variants in comparison.figures.items()
            for variant, measured in variants.items()
        ],
    )


def _basis(comparison: Comparison) -> str:
    if comparison.intervals_of == "requests":
        return (
            "Intervals are 95 %, and of requests only: with fewer than three rounds nothing says how one round differs "
            "from the next, and what is one number a round has no interval."
        )
    return f"Intervals are 95 %, of {counted(comparison.rounds, 'round')} and the requests within them."


def _gate(gate: Gate) -> Iterator[Block]:
    yield Table(
        heading="Regressions",
        columns=("", "figure", "variant", "worse by", "interval"),
        left=(0, 1, 2, 4),
        rows=[
            (
                Cell("worse", "bad") if judged.regressed else "passed",
                figure_heading(judged.figure),
                judged.variant,
                wording.share(judged.worse_by),
                "agrees" if judged.interval_agrees else "does not say so",
            )
            for judged in gate.judged
        ],
        shown="document",
    )
    sentence = (
        f"A figure is worse if it changed for the worse by at least {wording.share(gate.least_change)}, a latency also "
        f"by at least {gate.latency_floor_s:g} s, and if its whole {gate.confidence:.2%} interval lies on that side."
    )
    yield Note(lines=[sentence], shown="document")


def _variants(comparison: Comparison) -> Table:
    return Table(
        heading="Variants",
        columns=("variant", "tasks run", "requests", "failed", "requests by task"),
        left=(0, 4),
        rows=[
            (
                variant.name,
                wording.count(variant.tasks_run),
                wording.count(variant.requests),
                wording.count(variant.failed),
                ", ".join(f"{task} {requests:,}" for task, requests in variant.per_task.items()),
            )
            for variant in comparison.variants
        ],
        shown="document",
    )


COMPARISON: Layout[Comparison] = Layout(
    kind=Comparison,
    file_stem="comparison",
    title=lambda comparison: " and ".join(variant.name for variant in comparison.variants) or "comparison",
    own_blocks=_blocks,
)
