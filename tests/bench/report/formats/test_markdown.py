"""report.md: the verdict first, every table filled, nothing that a name could break."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bench.index.errors import ErrorKind
from bench.load.samples import Operation, Samples
from bench.report.build import RunRecord
from bench.report.formats.markdown import markdown_text
from bench.report.model import Report
from bench.report.outcome import Teardown
from bench.report.report_blocks import REPORT
from tests.bench.report.reports import build_report

NOW = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)


def report_markdown(report: Report) -> str:
    return markdown_text(REPORT.blocks(report))


def section(page: str, heading: str) -> str:
    """The text below a heading, up to the next."""
    return page.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def test_the_first_line_is_the_verdict(report: Report) -> None:
    assert report_markdown(report).splitlines()[0] == (
        "# production_incident: failed: 4 of 4 thresholds missed: listing_p95_s, download_p95_s, error_rate, "
        "status_5xx (exit code 3)"
    )


def test_sections_in_the_order_of_reading(report: Report) -> None:
    assert re.findall(r"^## (.+)$", report_markdown(report), flags=re.MULTILINE) == [
        "Thresholds",
        "Findings",
        "Operations",
        "Queueing and work",
        "Requests by task",
        "CPU per request",
        "Phases",
        "This machine and AWS",
        "Memory",
        "Load generator",
        "Plan for AWS",
        "Warnings",
        "Teardown",
        "Repeat it",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "2 loaders: 41 % and 30 % of a core",
        "| loader | of a core | round trip in ms | clock within ms |",
        "| tcp://10.0.0.5:40123 | 41.00 % | 1.2 | 2.4 |",
        "| tcp://10.0.0.6:40123 | 30.00 % | 0.8 | 1.6 |",
    ],
)
def test_what_is_said_of_loaders(report_of_loaders: Report, line: str) -> None:
    assert line in report_markdown(report_of_loaders).splitlines()


@pytest.mark.parametrize(
    ("heading", "line"),
    [
        ("Findings", "Nothing stood out."),
        ("Thresholds", "| `listing_p95_s` | **MISSED** | 2.500 s | < 2.000 s | 3 |"),
        ("Thresholds", "| `error_rate` | **MISSED** | 20.00 % | < 1.00 % | 10 |"),
        ("Operations", "| listing | 3 | 1 | 33.33 % | 1 | 0.2 | 1.500 | 2.500 | 2.500 | 2.500 |"),
        ("Operations", "| all | 10 | 2 | 20.00 % | 1 | 0.5 | 1.000 | 8.000 | 8.000 | 8.000 |"),
        (
            "Operations",
            "In flight at once: 3 requests at most. "
            "Failed requests: 1 timed out, 1 answered with a status of 400 or above.",
        ),
        ("Queueing and work", "| listing | 500 | 1,000 | 1,000 | 500 | 500 | 500 |"),
        ("Requests by task", "Requests of each task: at most 33.33 % from an even share of 2 tasks"),
        ("Load generator", "2 processes: 41 % and 30 % of a core"),
        ("Load generator", "Requests sent later than due, p99: 0.500 s"),
        ("CPU per request", "tasks 900,000 us, balancer 50,000 us, generator 1,420,000 us"),
        ("CPU per request", "| tasks | 9.000 s |"),
        ("CPU per request", "| generator | 14.200 s |"),
        ("Requests by task", "| task-1 | 4 | 66.67 % |"),
        ("Phases", "| burst | 7 | 2 | 28.57 % | 1 | 0.7 | 1.500 | 8.000 | 8.000 | 8.000 |"),
        ("This machine and AWS", "2 of 12 tasks, 4 workers each."),
        ("This machine and AWS", "- Packages lie on a local disk; on AWS they lie on EFS."),
        ("This machine and AWS", "| gunicorn | 23.0.0 | 20.0.4 |"),
        ("Memory", "| task-2 | 530 MB | 512 MB | **OOM kill on ECS** |"),
        ("Warnings", "- the load generator used 41 % of its core"),
        ("Plan for AWS", "| `container_memory_reservation_mb` | 384 |"),
        ("Teardown", "Everything the run made is gone."),
        ("Repeat it", "python -m bench run --seed 42 -c instance_type=c6a.xlarge"),
    ],
)
def test_what_each_section_says(report: Report, heading: str, line: str) -> None:
    assert line in section(report_markdown(report), heading).splitlines()


def test_every_table_is_one_table_with_rows_of_one_width(report: Report) -> None:
    tables = re.findall(r"(?:^\|.*\n)+", report_markdown(report), flags=re.MULTILINE)

    assert len(tables) == 9
    for table in tables:
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(widths) == 1
        assert re.fullmatch(r"\|(-+:?\|)+", table.splitlines()[1])


def test_an_operation_that_was_never_asked_has_no_row(report: Report) -> None:
    assert "upload" not in section(report_markdown(report), "Operations")


def test_a_run_that_got_nowhere_says_why_and_how_to_repeat_it() -> None:
    record = RunRecord(run_id="20261123-201500-3f2a", seed=1, started_at=NOW, command=["python", "-m", "bench"])
    page = report_markdown(build_report(record, NOW))

    assert "The run did not get as far as judging its thresholds." in page
    assert re.findall(r"^## (.+)$", page, flags=re.MULTILINE) == ["Thresholds", "Repeat it"]


def test_what_was_left_behind(record: RunRecord) -> None:
    record.teardown = Teardown(complete=False, leftovers=["process 4711 (envoy)"])

    assert "- `process 4711 (envoy)`" in section(report_markdown(build_report(record, NOW)), "Teardown: left behind")


def test_a_server_cannot_write_the_report(record: RunRecord, samples_of: Callable[..., Samples]) -> None:
    """X-Served-By is whatever the index says it is."""
    name = "a|b\n# passed\x1b[2J<script>"
    record.samples = samples_of(((0.0, 0.0, 1.0, Operation.LISTING, 200, name, "burst", ErrorKind.NONE),))

    page = report_markdown(build_report(record, NOW))

    assert r"| a\|b # passed \[2J\<script\> | 1 | 100.00 % |" in page.splitlines()
    assert "\x1b" not in page
