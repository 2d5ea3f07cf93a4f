"""What the end of a run prints."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from bench.deployment.description import Limits
from bench.diagnosis.finding import Finding
from bench.index.errors import ErrorKind
from bench.load.samples import Operation, Samples
from bench.report.build import RunRecord
from bench.report.formats.terminal import print_outcome
from bench.report.model import Report
from bench.report.report_blocks import REPORT
from tests.bench.report.reports import build_report

FOLDER = Path("results/20261123-201500-3f2a")
NOW = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)


def print_summary(report: Report, folder: Path, stream: TextIO, *, quiet: bool) -> None:
    print_outcome(report, REPORT.blocks(report), REPORT.document(folder), stream, quiet=quiet)


def summary_of(report: Report, *, quiet: bool = False) -> str:
    stream = io.StringIO()
    print_summary(report, FOLDER, stream, quiet=quiet)
    return stream.getvalue()


def test_thresholds_come_first_and_the_verdict_and_the_report_last(report: Report, tmp_path: Path) -> None:
    (tmp_path / "report.md").touch()
    stream = io.StringIO()
    print_summary(report, tmp_path, stream, quiet=False)
    lines = [line.split() for line in stream.getvalue().splitlines()]

    assert lines[0] == ["threshold", "observed", "limit", "samples"]
    assert lines[1] == ["listing_p95_s", "MISSED", "2.500", "s", "<", "2.000", "s", "3"]
    assert lines[-2][:2] == ["failed:", "4"]
    assert lines[-1] == ["report:", f"{tmp_path}/report.md"]


def test_findings_follow_the_thresholds(report: Report, record: RunRecord) -> None:
    assert "Findings: Nothing stood out." in summary_of(report).splitlines()
    record.secrets = {"quoted by its log"}
    record.findings = [
        Finding(
            rule="unhealthy",
            summary="A task ended during the load.",
            evidence=["task-1: quoted by its log"],
            share=0.2,
            advice="Look into its log.",
        )
    ]
    report = build_report(record, NOW)
    lines = summary_of(report).splitlines()
    shown = "Finding: A task ended during the load. Explains about 20 %. Look into its log."
    assert lines.index(shown) < next(number for number, line in enumerate(lines) if line.startswith("latency in s"))
    assert report.findings[0].evidence == ["task-1: [secret]"]


def test_a_run_that_measured_nothing_has_no_findings(record: RunRecord) -> None:
    record.samples = None
    assert "Finding" not in summary_of(build_report(record, NOW))


def test_a_report_that_could_not_be_written_is_not_pointed_at(report: Report, tmp_path: Path) -> None:
    stream = io.StringIO()
    print_summary(report, tmp_path, stream, quiet=False)
    assert "report:" not in stream.getvalue()


def test_operations_tasks_and_warnings(report: Report) -> None:
    lines = [line.split() for line in summary_of(report).splitlines()]

    assert ["latency", "in", "s", "requests", "failed", "req/s", "p50", "p95", "p99", "max"] in lines
    assert ["listing", "3", "1", "0.2", "1.500", "2.500", "2.500", "2.500"] in lines
    assert ["all", "10", "2", "0.5", "1.000", "8.000", "8.000", "8.000"] in lines
    assert not any(line[:1] == ["upload"] for line in lines)
    assert ["task", "(2", "of", "12", "tasks)", "requests", "share"] in lines
    assert ["task-2", "2", "33.33", "%"] in lines
    assert "Requests of each task: at most 33.33 % from an even share of 2 tasks" in summary_of(report)
    assert ["Warning:", "the", "load", "generator", "used", "41", "%", "of", "its", "core"] in lines


def test_which_limits_the_tasks_were_under(record: RunRecord) -> None:
    assert "Limits enforced" not in summary_of(build_report(record, NOW))  # as in a report of before there were any
    assert record.local is not None
    limits = Limits(memory=True, cpu_shares=True, vcpus_per_instance=None, not_enforced=("vCPUs of an instance: few",))
    record.local = record.local.model_copy(update={"limits": limits})

    assert (
        "Limits enforced: memory of each task, CPU shares of the tasks; not enforced: vCPUs of an instance: few"
        in summary_of(build_report(record, NOW)).splitlines()
    )


def test_where_the_time_and_the_processors_went(report: Report) -> None:
    lines = [line.split() for line in summary_of(report).splitlines()]

    assert ["in", "ms", "work", "p50", "p95", "p99", "queueing", "p50", "p95", "p99"] in lines
    assert ["redirect", "250", "500", "500", "250", "375", "375"] in lines
    assert "CPU per request: tasks 900,000 us, balancer 50,000 us, generator 1,420,000 us" in summary_of(report)
    assert "Load generator: 2 processes: 41 % and 30 % of a core" in summary_of(report)


def test_work_of_a_fast_server_is_told_to_the_microsecond(
    record: RunRecord, samples_of: Callable[..., Samples]
) -> None:
    row = (0.0, 0.0, 0.0215, Operation.LISTING, 200, "task-1", "burst", ErrorKind.NONE)
    record.samples = samples_of((row,), server_s=(0.00031,))

    assert ["listing", *["0.310"] * 3, *["21"] * 3] in [
        line.split() for line in summary_of(build_report(record, NOW)).splitlines()
    ]


def test_a_server_that_does_not_say_what_it_did_has_no_table_for_it(
    record: RunRecord, samples_of: Callable[..., Samples]
) -> None:
    record.samples = samples_of()

    assert "queueing" not in summary_of(build_report(record, NOW))


def test_quiet_is_the_verdict_alone(report: Report, record: RunRecord) -> None:
    assert summary_of(report, quiet=True) == (
        "failed: 4 of 4 thresholds missed: listing_p95_s, download_p95_s, error_rate, status_5xx (exit code 3)\n"
    )
    record.thresholds = ()
    assert summary_of(build_report(record, NOW), quiet=True) == (
        "passed: the server and its settings hold this load on this machine with 2 of 12 tasks; "
        "the size was not tested\n"
    )


def test_sentences_are_neither_broken_nor_read_as_markup(record: RunRecord) -> None:
    sentence = "the index answered [secret] [/bold] :tada: " + "and so on " * 30
    record.warnings = [sentence]

    assert f"Warning: {sentence}" in summary_of(build_report(record, NOW)).splitlines()


def test_a_server_cannot_drive_the_terminal(record: RunRecord, samples_of: Callable[..., Samples]) -> None:
    rows = ((0.0, 0.0, 1.0, Operation.LISTING, 200, "x\x1b]0;title\x07", "burst", ErrorKind.NONE),)
    record.samples = samples_of(rows)

    assert "\x1b" not in summary_of(build_report(record, NOW))


def test_a_reader_that_stops_reading_changes_nothing(report: Report, tmp_path: Path) -> None:
    """As `python -m bench | head -1`: neither an exception nor another exit code."""
    (tmp_path / "report.json").write_text(report.model_dump_json())
    program = (
        "import sys, pathlib\n"
        "from bench.report.formats.terminal import print_outcome\n"
        "from bench.report.model import Report\n"
        "from bench.report.report_blocks import REPORT\n"
        "report = Report.model_validate_json(pathlib.Path(sys.argv[1]).read_text())\n"
        "print_outcome(report, REPORT.blocks(report), pathlib.Path('results'), sys.stdout, quiet=False)\n"
        "sys.exit(report.exit_code)\n"
    )
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        finished = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "report.json")],
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (finished.returncode, finished.stderr) == (3, "")
