"""The JSON files of a results folder: strict, indented, keys in a fixed order."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

from bench.deployment.graph import Resource
from bench.report.model import Report
from bench.report.redact import redacted_resources


def report_json(report: Report) -> str:
    """report.json, in the order of the model."""
    return report.model_dump_json(indent=2) + "\n"


def infrastructure_json(resources: Iterable[Resource], secrets: Collection[str] = ()) -> str:
    """infrastructure.json: every resource with its inputs, by URN, without the values of secrets.

    Keys are sorted: the engines deliver them in different orders, and two files should compare.
    """
    content = {"resources": redacted_resources(resources, secrets)}
    return json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n"
