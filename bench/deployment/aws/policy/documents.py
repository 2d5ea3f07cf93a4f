"""Managed policies of IAM for a stack: its actions in documents that AWS takes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bench.deployment.aws.policy.actions import actions_of_types
from bench.deployment.aws.policy.needs import NEEDS
from bench.deployment.aws.policy.statements import Statement, statements
from bench.deployment.graph import Graph

MAX_CHARACTERS = 6144
"""Of a managed policy, without white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
_CLUSTER = "aws:ecs/cluster:Cluster"
_RECORD = "aws:route53/record:Record"


def policies(graph: Graph) -> dict[str, dict[str, Any]]:
    """Documents by name of policy, for all that is done with a stack of these resources."""
    names = {action for resource in graph for action in actions_of_types().get(resource.type, ())}
    names |= {action for needed in NEEDS.values() for action in needed}
    zones = {record.inputs["zoneId"] for record in graph.of_type(_RECORD)}
    prefix = graph.one(_CLUSTER).name
    parts = _packed(_split(statements(names, prefix, zones)))
    return {f"{prefix}-bench-{number}": _document(part) for number, part in enumerate(parts, 1)}


def size(document: dict[str, Any]) -> int:
    """Its length as AWS counts it."""
    return len("".join(json.dumps(document, separators=(",", ":")).split()))


def _document(part: list[Statement]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": part}


def _split(given: Iterable[Statement]) -> list[Statement]:
    """Statements of which each fits into a document, in halves where it does not."""
    found = []
    for statement in given:
        if size(_document([statement])) <= MAX_CHARACTERS:
            found.append(statement)
            continue
        granted, middle = statement["Action"], len(statement["Action"]) // 2
        found += _split({**statement, "Action": half} for half in (granted[:middle], granted[middle:]))
    return found


def _packed(given: list[Statement]) -> list[list[Statement]]:
    """The statements in as few documents as their order allows."""
    parts: list[list[Statement]] = [[]]
    for statement in given:
        if size(_document([*parts[-1], statement])) > MAX_CHARACTERS:
            parts.append([])
        parts[-1].append(statement)
    return parts
