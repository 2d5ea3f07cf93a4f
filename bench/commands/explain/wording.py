"""How an explanation reads in Markdown and on the terminal: its columns, and which of them each setting is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bench.commands.compare.wording import heading, measured, significant
from bench.commands.explain.model import Explanation, Probes, Step
from bench.report.wording import NOTHING
from sizing.counted import counted


@dataclass(frozen=True)
class Column:
    """One figure of every step."""

    name: str
    heading: str
    cell: Callable[[Step], str]


def _figure(name: str) -> Column:
    def cell(step: Step) -> str:
        return measured(name, step.figures[name])[0] if name in step.figures else NOTHING

    return Column(name, heading(name), cell)


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
SHOWN_IN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "stickiness_enabled": ("per_task_deviation", "spread"),
        "gunicorn_keepalive_s": ("idle",),
        "health_check_path": ("health_check",),
        "entry_point": ("accepted", "whole"),
        "authentication": _COST,
        "backend": _COST,
        "load_balancing_algorithm": ("latency_p95_s", "per_task_deviation"),
    }
)


def is_shown(step: Step, column: Column) -> bool:
    """Whether this is where the step's setting shows."""
    return column.name in SHOWN_IN.get(step.setting or "", ())


def changes(step: Step) -> list[tuple[str, str, str]]:
    """Figure, change to the step before, and its interval, of the figures in which the step's setting shows."""
    return [
        (heading(name), *measured(name, step.figures[name])[2:])
        for name in SHOWN_IN.get(step.setting or "", ())
        if name in step.figures
    ]


def basis(explanation: Explanation) -> str:
    """What the figures stand on, in a sentence or two."""
    workload = explanation.workload
    if workload is None or not explanation.rounds:
        return "No round was measured in every step."
    return (
        f"{counted(explanation.rounds, 'round')} of {counted(workload.clients or 0, 'client')} each on "
        f"{counted(workload.wheels or 0, 'wheel')}, the steps in turn, "
        f"after {explanation.warm_up_rounds} that does not count; all clients share one cookie jar."
    )


def machine(explanation: Explanation) -> str:
    """Where it was measured."""
    here = explanation.machine
    return f"{here.cpu_model}, {counted(here.cores, 'core')}, {here.memory_mb:,} MB, {here.python}"
