"""report.json: strict JSON with every field there."""

from __future__ import annotations

import json
from typing import NoReturn

import pytest
from pydantic import ValidationError

from bench.common.failures import ExitCode
from bench.report.build import RunRecord
from bench.report.formats.json import json_text
from bench.report.formats.markdown import markdown_text
from bench.report.model import Percentiles, Report
from bench.report.report_blocks import REPORT
from tests.bench.report.conftest import ENDED_AT, STARTED_AT
from tests.bench.report.reports import build_report


def refuse(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is not JSON")


def test_a_report_is_strict_json(report: Report) -> None:
    content = json.loads(json_text(report), parse_constant=refuse)

    assert list(content) == list(Report.model_fields)
    assert content["summary"]["latency_s"] == {"p50": 1.0, "p95": 8.0, "p99": 8.0, "max": 8.0}
    assert content["operations"]["upload"]["latency_s"] is None
    assert content["run"]["started_at"] == "2026-11-23T20:15:00Z"
    assert content["per_task"] == {"task-1": 4, "task-2": 2}


def test_bytes_that_are_no_text_leave_a_report_that_can_be_read() -> None:
    record = RunRecord("20261123-201500-3f2a", 0, STARTED_AT, command=["--results", "r\udce9sultats"])
    record.fail(ExitCode.USAGE, "r\udce9sultats cannot be written")
    record.warnings.append("the index said \ud800")
    report = build_report(record, ENDED_AT)
    content = json.loads(json_text(report).encode())

    assert content["run"]["command"] == ["--results", r"r\xe9sultats"]
    assert content["failure"] == r"r\xe9sultats cannot be written"
    assert content["warnings"] == [r"the index said \ud800"]
    assert r"r\xe9sultats" in markdown_text(REPORT.blocks(report)).encode().decode()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_no_figure(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        Percentiles(p50=value, p95=1.0, p99=1.0, max=1.0)
