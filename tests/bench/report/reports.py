"""Reports of `run` from a record, without a run."""

from __future__ import annotations

from datetime import datetime

from bench.report.build import RunRecord, build_outcome, report_fields
from bench.report.model import Report


def build_report(record: RunRecord, ended_at: datetime) -> Report:
    return build_outcome(Report, record, ended_at, **report_fields(record))
