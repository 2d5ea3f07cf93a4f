"""The end of a run on the terminal: thresholds first, then what stands behind them, then where the report lies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from rich.table import Table
from rich.text import Text

from bench.report import wording
from bench.report.model import Figures, Report
from bench.report.output import open_output, plain_table
from pypiserver_stack.common.text import printable


def print_summary(report: Report, folder: Path, stream: TextIO, *, quiet: bool) -> None:
    """Print the result of a run to `stream`; with `quiet` nothing but the verdict.

    Args:
        folder: the results folder of the run.
    """
    console = open_output(stream)
    verdict = (wording.headline(report), "green" if report.exit_code == 0 else "bold red")
    if quiet:
        console.print_line(*verdict)
        return
    for table in (_thresholds(report), _operations(report), _work(report), _tasks(report)):
        if table.row_count:
            console.print(table)
            console.print()
    for line in _lines(report):
        console.print_line(line)
    console.print_warnings(report.warnings)
    console.print_line(*verdict)
    if (folder / "report.md").exists():
        console.print_line(f"report: {folder / 'report.md'}")


def _thresholds(report: Report) -> Table:
    table = plain_table("threshold", "", "observed", "limit", "samples", left=2)
    for threshold in report.thresholds:
        table.add_row(
            threshold.name,
            Text("passed", style="green") if threshold.passed else Text("MISSED", style="bold red"),
            wording.measure(threshold.name, threshold.observed),
            wording.limit(threshold),
            f"{threshold.samples:,}",
        )
    return table


def _operations(report: Report) -> Table:
    table = plain_table("latency in s", "requests", "failed", "req/s", "p50", "p95", "p99", "max")
    if report.summary is None or report.operations is None:
        return table
    for name, figures in (*report.operations, ("all", report.summary)):
        if figures.requests:
            table.add_row(name, *_row(figures))
    return table


def _row(figures: Figures) -> tuple[str, ...]:
    counts = (f"{figures.requests:,}", f"{figures.failed:,}", wording.rate(figures.throughput_rps))
    return (*counts, *wording.latencies(figures.latency_s))


def _work(report: Report) -> Table:
    table = plain_table("in ms", "work p50", "p95", "p99", "queueing p50", "p95", "p99")
    for name, figures in report.operations or ():
        if figures.work_s is not None:
            table.add_row(name, *wording.milliseconds(figures.work_s), *wording.milliseconds(figures.queueing_s))
    return table


def _tasks(report: Report) -> Table:
    planned = f" ({wording.tasks_run(report.local)})" if report.local else ""
    table = plain_table(f"task{planned}", "requests", "share")
    answered = sum(report.per_task.values())
    for task, requests in report.per_task.items():
        table.add_row(Text(printable(task)), f"{requests:,}", wording.share(requests / answered))
    return table


def _lines(report: Report) -> Iterator[str]:
    """What needs no table."""
    if report.per_task_deviation is not None:
        yield f"requests of each task: {wording.evenness(report)}"
    if report.cpu is not None and report.cpu.generator is not None:
        sides = (("tasks", report.cpu.tasks), ("balancer", report.cpu.balancer), ("generator", report.cpu.generator))
        costs = ", ".join(f"{side} {wording.cpu_per_request(cpu)}" for side, cpu in sides if cpu is not None)
        yield f"CPU per request: {costs}"
    if report.local is not None and report.local.limits is not None:
        yield f"limits {wording.limits(report.local.limits)}"
    if report.generator is not None and report.generator.cpu_shares:
        yield f"load generator: {wording.processes(report.generator.cpu_shares)}"
