"""Reports of `run` from findings, without a run."""

from __future__ import annotations

from datetime import datetime

from bench.report.build import Findings, build_outcome, report_fields
from bench.report.model import Report


def build_report(findings: Findings, ended_at: datetime) -> Report:
    return build_outcome(Report, findings, ended_at, **report_fields(findings))
