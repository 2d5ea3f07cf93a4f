"""Layout of the report of `run` and `load`: report.json and report.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from bench.deployment.description import Limits, Local, TaskMemory
from bench.diagnosis.finding import Finding
from bench.report import wording
from bench.report.blocks import Block, Cell, Note, Table
from bench.report.layout import Layout
from bench.report.model import CpuBySide, Figures, Generator, Operations, Report, Summary
from bench.report.wording import NOTHING
from sizing.counted import counted


def _blocks(report: Report) -> Iterator[Block]:
    yield _deployment(report)
    yield _thresholds(report)
    if report.summary is not None:
        yield from _findings(report.findings)
    if report.summary is not None and report.operations is not None:
        yield from _operations(report.operations, report.summary)
    if report.per_task:
        yield from _tasks(report)
    if report.cpu is not None:
        yield from _cpu(report.cpu)
    if report.phases:
        phases = [(phase.name, phase) for phase in report.phases]
        yield _figures("Phases", phases, shown="document")
    if report.local is not None:
        yield from _local(report.local)
    if report.facts:
        yield Table(
            heading="Stack before the load",
            columns=("", ""),
            rows=[(fact.name, fact.value) for fact in report.facts],
            left=(0, 1),
            shown="document",
        )
    if report.generator is not None:
        yield from _generator(report.generator)
    if report.plan is not None:
        yield Table(
            heading="Plan for AWS",
            columns=("", ""),
            rows=[(Cell(name, "code"), str(value)) for name, value in report.plan],
            left=(0, 1),
            shown="document",
        )


def _deployment(report: Report) -> Note:
    lines = []
    if report.stack is not None:
        stack = report.stack
        ran = f" {_tasks_run(report.local)} ran here." if report.local else ""
        lines.append(
            f"Stack {stack.name}, profile {stack.profile}, on {stack.target} through the {stack.engine} engine.{ran}"
        )
    elif report.run.index_url:
        lines.append(f"Index {report.run.index_url}, not deployed by this run.")
    lines.append(f"Fingerprint {report.fingerprint}: only runs with the same one can be compared.")
    return Note(lines=lines, shown="document")


def _thresholds(report: Report) -> Table | Note:
    if not report.thresholds:
        sentence = "The run did not get as far as judging its thresholds."
        return Note(heading="Thresholds", lines=[sentence], shown="document")
    return Table(
        heading="Thresholds",
        columns=("threshold", "", "observed", "limit", "samples"),
        left=(0, 1),
        rows=[
            (
                Cell(threshold.name, "code"),
                Cell("passed", "good") if threshold.passed else Cell("MISSED", "bad"),
                wording.measure(threshold.name, threshold.observed),
                # A limit of 0 has to be met exactly.
                f"{'< ' if threshold.limit else ''}{wording.limit(threshold.name, threshold.limit)}",
                wording.count(threshold.samples),
            )
            for threshold in report.thresholds
        ],
    )


def _findings(findings: Sequence[Finding]) -> Iterator[Note]:
    if not findings:
        yield Note(heading="Findings", label="Findings", lines=["Nothing stood out."])
        return
    yield Note(heading="Findings", lines=["What stood out, what explains most first."], shown="document")
    for finding in findings:
        explains = f"Explains about {round(finding.share * 100)} %. " if finding.share else ""
        yield Note(label="Finding", lines=[f"{finding.summary} {explains}{finding.advice}"], shown="terminal")
        yield Note(heading=finding.summary, level=3, lines=[f"{explains}{finding.advice}"], shown="document")
        yield Note(lines=finding.evidence, form="list", shown="document")


def _operations(operations: Operations, summary: Summary) -> Iterator[Block]:
    measured = [(name, figures) for name, figures in operations if figures.requests]
    yield _figures("Operations", [*measured, ("all", summary)] if measured else [])
    failed = f" Failed requests: {wording.errors(summary.errors_by_kind)}." if summary.errors_by_kind else ""
    in_flight = f"In flight at once: {counted(summary.peak_in_flight, 'request')} at most.{failed}"
    latency = "Latency is from the moment a request was due, failures included."
    yield Note(lines=[latency, in_flight], shown="document")
    if summary.work_s is not None:
        yield Table(
            heading="Queueing and work",
            columns=("in ms", "work p50", "p95", "p99", "queueing p50", "p95", "p99"),
            rows=[
                (name, *wording.milliseconds(figures.work_s), *wording.milliseconds(figures.queueing_s))
                for name, figures in operations
                if figures.work_s is not None
            ],
        )
        sentence = "Work is what the server says that a request cost it; queueing is the rest of the service time."
        yield Note(lines=[sentence], shown="document")


def _figures(
    heading: str, measured: Iterable[tuple[str, Figures]], *, shown: Literal["always", "document"] = "always"
) -> Table:
    return Table(
        heading=heading,
        columns=("latency in s", "requests", "failed", "error rate", "5xx", "req/s", "p50", "p95", "p99", "max"),
        document_columns=(3, 4),
        rows=[
            (
                name,
                wording.count(figures.requests),
                wording.count(figures.failed),
                wording.share(figures.error_rate),
                wording.count(figures.status_5xx),
                wording.rate(figures.throughput_rps),
                *wording.latencies(figures.latency_s),
            )
            for name, figures in measured
        ],
        shown=shown,
    )


def _tasks(report: Report) -> Iterator[Block]:
    planned = f" ({_tasks_run(report.local)})" if report.local else ""
    answered = sum(report.per_task.values())
    yield Table(
        heading="Requests by task",
        columns=(f"task{planned}", "requests", "share"),
        rows=[
            (task, wording.count(requests), wording.share(requests / answered))
            for task, requests in report.per_task.items()
        ],
    )
    if report.per_task_deviation is not None:
        tasks = max(report.local.tasks_run if report.local else 0, len(report.per_task))
        share = wording.share(report.per_task_deviation)
        yield Note(lines=[f"Requests of each task: at most {share} from an even share of {counted(tasks, 'task')}"])


def _cpu(cpu: CpuBySide) -> Iterator[Block]:
    sides = [(name, side) for name, side in cpu.sides.items() if side is not None]
    if sides:
        costs = ", ".join(f"{name} {wording.cpu_per_request(side)}" for name, side in sides)
        yield Note(heading="CPU per request", label="CPU per request", lines=[costs])
        yield Table(
            columns=("", "CPU time"),
            rows=[(name, f"{wording.seconds(side.cpu_s)} s") for name, side in sides],
            shown="document",
        )


def _local(local: Local) -> Iterator[Block]:
    ran = f"{_tasks_run(local)}, {counted(local.workers_per_task, 'worker')} each."
    yield Note(heading="This machine and AWS", lines=[ran], shown="document")
    yield Note(lines=local.differences, form="list", shown="document")
    if local.limits is not None:
        yield Note(lines=[_limits(local.limits)])
    yield Table(
        columns=("", "here", "in the image"),
        rows=[(program, versions.local or NOTHING, versions.image or NOTHING) for program, versions in local.versions],
        left=(0, 1, 2),
        shown="document",
    )
    if local.memory:
        yield Table(
            heading="Memory",
            columns=("task", "peak", "limit", ""),
            rows=[_memory_row(memory) for memory in local.memory],
            left=(0, 3),
            shown="document",
        )
        sentence = "Largest proportional set size of each task's processes, against the limit in its task definition."
        yield Note(lines=[sentence], shown="document")


def _memory_row(memory: TaskMemory) -> tuple[str | Cell, ...]:
    sizes = (f"{memory.peak_pss_mb:,.0f} MB", f"{memory.limit_mb:,} MB")
    return (memory.task, *sizes, Cell(_oom_kills(memory), "bad" if memory.would_be_oom_killed else "plain"))


def _oom_kills(memory: TaskMemory) -> str:
    """Effect of a task's memory limit here, or on ECS."""
    if memory.oom_kills is None:
        return "OOM kill on ECS" if memory.would_be_oom_killed else "within"
    if not memory.oom_kills or memory.first_oom_kill_at is None:
        return "within, enforced"
    return f"{counted(memory.oom_kills, 'OOM kill')}, first at {memory.first_oom_kill_at:%H:%M:%S} UTC"


def _limits(enforced: Limits) -> str:
    """The limits that the tasks were under, and those that they were not."""
    held = [
        *(["memory of each task"] if enforced.memory else []),
        *(["CPU shares of the tasks"] if enforced.cpu_shares else []),
        *([f"{enforced.vcpus_per_instance} vCPUs of each instance"] if enforced.vcpus_per_instance is not None else []),
    ]
    missing = [f"not enforced: {limit}" for limit in enforced.not_enforced]
    return "; ".join([f"Limits enforced: {', '.join(held) or 'none'}", *missing])


def _generator(generator: Generator) -> Iterator[Block]:
    if generator.cpu_shares:
        number = len(generator.cpu_shares)
        processes = counted(number, "loader") if generator.loaders else counted(number, "process", "processes")
        shares = " and ".join(f"{share * 100:.0f} %" for share in generator.cpu_shares)
        yield Note(heading="Load generator", label="Load generator", lines=[f"{processes}: {shares} of a core"])
    if generator.lateness_s is not None:
        lateness = f"Requests sent later than due, p99: {wording.seconds(generator.lateness_s.p99)} s"
        yield Note(heading="" if generator.cpu_shares else "Load generator", lines=[lateness], shown="document")
    if generator.loaders:
        yield Table(
            columns=("loader", "of a core", "round trip in ms", "clock within ms"),
            rows=[
                (
                    loader.name,
                    wording.share(loader.cpu_share),
                    f"{loader.round_trip_s * 1000:.1f}",
                    f"{loader.clock_residual_s * 1000:.1f}",
                )
                for loader in generator.loaders
            ],
            shown="document",
        )


def _tasks_run(local: Local) -> str:
    """The part of the plan that ran here, such as `2 of 12 tasks`."""
    return f"{local.tasks_run} of {counted(local.tasks_planned, 'task')}"


REPORT: Layout[Report] = Layout(
    kind=Report,
    file_stem="report",
    title=lambda report: report.workload.name if report.workload is not None else "benchmark",
    own_blocks=_blocks,
)
