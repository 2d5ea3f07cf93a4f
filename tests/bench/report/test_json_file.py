"""report.json: strict JSON with every field there, in the shape that schema.json promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NoReturn

import pytest
from pydantic import ValidationError

import bench.report.model
from bench.common.failures import ExitCode
from bench.report.build import Findings, build_report
from bench.report.json_file import report_json
from bench.report.markdown import report_markdown
from bench.report.model import Percentiles, Report
from bench.schema import schema_text
from tests.bench.report.conftest import ENDED_AT, STARTED_AT

SCHEMA = Path(bench.report.model.__file__).with_name("schema.json")


def refuse(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is not JSON")


def test_the_committed_schema_is_that_of_the_model() -> None:
    assert SCHEMA.read_text() == schema_text(Report), (
        "the model of a report has changed: run `python -m bench.schema report > bench/report/schema.json`, and raise "
        "schema_version if a reader of old reports would go wrong"
    )


def test_the_schema_requires_every_field() -> None:
    schema = json.loads(SCHEMA.read_text())

    for shape in (schema, *schema["$defs"].values()):
        assert shape["required"] == list(shape["properties"])
        assert shape["additionalProperties"] is False


def test_a_report_is_strict_json(report: Report) -> None:
    content = json.loads(report_json(report), parse_constant=refuse)

    assert list(content) == list(Report.model_fields)
    assert content["summary"]["latency_s"] == {"p50": 1.0, "p95": 8.0, "p99": 8.0, "max": 8.0}
    assert content["operations"]["upload"]["latency_s"] is None
    assert content["run"]["started_at"] == "2026-11-23T20:15:00Z"
    assert content["per_task"] == {"task-1": 6, "task-2": 3}


def test_bytes_that_are_no_text_leave_a_report_that_can_be_read() -> None:
    findings = Findings("20261123-201500-3f2a", 0, STARTED_AT, command=["--results", "r\udce9sultats"])
    findings.fail(ExitCode.USAGE, "r\udce9sultats cannot be written")
    findings.warnings.append("the index said \ud800")
    report = build_report(findings, ENDED_AT)
    content = json.loads(report_json(report).encode())

    assert content["run"]["command"] == ["--results", r"r\xe9sultats"]
    assert content["failure"] == r"r\xe9sultats cannot be written"
    assert content["warnings"] == [r"the index said \ud800"]
    assert r"r\xe9sultats" in report_markdown(report).encode().decode()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_no_figure(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        Percentiles(p50=value, p95=1.0, p99=1.0, max=1.0)
