"""Layout of an explanation: explain.json, explain.md, and the generated part of docs/performance.md."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.commands.compare.blocks import figure_cells, figure_heading
from bench.commands.explain.model import Explanation, Probes, StepResult
from bench.report.blocks import Blocks, Cell, Note, Table
from bench.report.layout import Layout
from bench.report.wording import NOTHING, significant
from sizing.counted import counted


@dataclass(frozen=True)
class Column:
    """One figure of every step."""

    name: str
    heading: str
    cell: Callable[[StepResult], str]


def _figure(name: str) -> Column:
    def cell(step: StepResult) -> str:
        return figure_cells(name, step.figures[name])[0] if name in step.figures else NOTHING

    return Column(name, figure_heading(name), cell)


def _probe(name: str, heading: str, text: Callable[[Probes], str]) -> Column:
    return Column(name, heading, lambda step: text(step.probes) if step.probes is not None else NOTHING)


def _spread(probes: Probes) -> str:
    return f"{probes.spread.to_the_busiest_task} of {probes.spread.requests}"


def _idle(probes: Probes) -> str:
    return f"{probes.idle.failed} of {probes.idle.requests}"


def _accepted(probes: Probes) -> str:
    return f"{probes.mixing.answers.get('200', 0)} of {probes.mixing.uploads}"


COLUMNS = (
    _figure("latency_p50_s"),
    _figure("latency_p95_s"),
    _figure("throughput_rps"),
    _figure("error_rate"),
    _figure("per_task_deviation"),
    _figure("tasks_cpu_us_per_request"),
    _probe("spread", "one cookie jar: to the busiest task", _spread),
    _probe("idle", "5xx after 2 s idle", _idle),
    _probe("health_check", "health check, ms", lambda probes: significant(probes.health_check.median_s * 1e3)),
    _probe("accepted", "interleaved uploads answered 200", _accepted),
    _probe("whole", "and whole on the index", lambda probes: str(probes.mixing.whole)),
)

_COST = ("latency_p50_s", "latency_p95_s", "throughput_rps", "tasks_cpu_us_per_request")
# Where a change of each setting shows, if anywhere.
SHOWN_IN: Mapping[str, tuple[str, ...]] = {
    "stickiness_enabled": ("per_task_deviation", "spread"),
    "gunicorn_keepalive_s": ("idle",),
    "health_check_path": ("health_check",),
    "entry_point": ("accepted", "whole"),
    "authentication": _COST,
    "backend": _COST,
    "load_balancing_algorithm": ("latency_p95_s", "per_task_deviation"),
}


def page_blocks(explanation: Explanation) -> Blocks:
    """The tables with what they stand on. No date: measured again on the same machine, only the figures differ."""
    return [
        *_tables(explanation),
        Note(lines=[f"{explanation.machine}."]),
        Note(lines=[shlex.join(explanation.run.command)], form="command"),
    ]


def _tables(explanation: Explanation) -> Blocks:
    return [
        Table(
            columns=("step", "changed", *(column.heading for column in COLUMNS)),
            rows=[
                (str(number), Cell(step.name, "code"), *(_cell(step, column) for column in COLUMNS))
                for number, step in enumerate(explanation.steps)
            ],
            left=(1,),
            document_columns=(1,),
            turned=True,
        ),
        Note(lines=[f"{number}: {step.name}" for number, step in enumerate(explanation.steps)], shown="terminal"),
        Note(lines=[_basis(explanation)]),
        Table(
            columns=("step", "changed", "figure", "to the step before", "95 % interval"),
            rows=[
                (
                    str(number),
                    Cell(step.name, "code"),
                    figure_heading(name),
                    *figure_cells(name, step.figures[name])[2:],
                )
                for number, step in enumerate(explanation.steps)
                for name in _shown_in(step)
                if name in step.figures
            ],
            left=(1, 2),
            shown="document",
        ),
    ]


def _cell(step: StepResult, column: Column) -> Cell:
    return Cell(column.cell(step), "strong" if column.name in _shown_in(step) else "plain")


def _shown_in(step: StepResult) -> tuple[str, ...]:
    """The figures in which the step's setting shows."""
    return SHOWN_IN.get(step.setting or "", ())


def _basis(explanation: Explanation) -> str:
    """The basis of the figures."""
    workload = explanation.workload
    if workload is None or not explanation.rounds:
        return "No round was measured in every step."
    return (
        f"{counted(explanation.rounds, 'round')} of {counted(workload.clients or 0, 'client')} each on "
        f"{counted(workload.wheels or 0, 'wheel')}, the steps in turn, "
        f"after {explanation.warm_up_rounds} that does not count; all clients share one cookie jar. "
        "In bold: where the changed setting shows, if anywhere."
    )


EXPLANATION: Layout[Explanation] = Layout(
    kind=Explanation,
    file_stem="explain",
    title=lambda explanation: "From the peer to ours, one setting at a time",
    own_blocks=_tables,
)
