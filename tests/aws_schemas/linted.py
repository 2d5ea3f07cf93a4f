"""A graph rendered as a CloudFormation template, and what cfn-lint has against it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from cfnlint.api import lint
from cfnlint.core import get_rules
from cfnlint.rules import RulesCollection

from bench.deployment.graph import Resource
from bench.deployment.local_cloud import REGION
from tests.aws_schemas.table import MAPPED, NOT_IN_CLOUDFORMATION

OF_TEMPLATES = {
    "E3010": "The limit is CloudFormation's on a template's resources.",
    "E3019": "What is one resource there may be two here, and the schemas know no parts.",
    "I": "Advice on templates.",
    "W3010": "The zones are looked up, and are text in the resolved graph.",
    "W3011": "UpdateReplacePolicy and DeletionPolicy are CloudFormation's.",
    "W1020": "Sub is CloudFormation's.",
    "W1011": "A dynamic reference is CloudFormation's; that no secret is in clear has a test of its own.",
}
"""Rules, or the beginnings of their names, that say nothing about what AWS is given, and why."""


@dataclass(frozen=True)
class Finding:
    """What is wrong with a resource."""

    resource: str
    """Type and logical name."""
    rule: str
    path: str
    message: str


def findings(resources: Iterable[Resource], known: set[str] | None = None) -> list[Finding]:
    """Everything that AWS's own schemas, or cfn-lint's rules beyond them, have against the resources of a deployment.

    Args:
        known: what was looked at before, which is left out, and is added to.

    Raises:
        KeyError: nobody has said what a type is in CloudFormation.
    """
    named: dict[str, str] = {}
    rendered: dict[str, Any] = {}
    seen = set[str]() if known is None else known
    for resource in resources:
        if is_component(resource) or resource.type in NOT_IN_CLOUDFORMATION:
            continue
        mapped = MAPPED[resource.type]
        written = {"Type": mapped.type, "Properties": mapped.properties(resource)}
        text = json.dumps(written, sort_keys=True)
        if text in seen:
            continue
        seen.add(text)
        name = f"R{len(named)}"
        named[name] = f"{resource.type} {resource.name}"
        rendered[name] = written
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": rendered}
    return [
        Finding(named.get(_part(match, 1), ""), match.rule.id, "/".join(map(str, match.path[3:])), match.message)
        for match in lint(json.dumps(template, indent=1), rules=_rules(), regions=[REGION])
        if not match.rule.id.startswith(tuple(OF_TEMPLATES))
    ]


def is_component(resource: Resource) -> bool:
    """Whether a resource is one of ours that hold others, and nothing in AWS."""
    return not resource.id


def _part(match: Any, index: int) -> str:
    return str(match.path[index]) if len(match.path) > index else ""


@cache
def _rules() -> RulesCollection:
    return get_rules([], [], ["W", "E"])
