"""Actions of IAM: those of each resource type, and what each may be limited by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ACTIONS_FILE = Path(__file__).with_name("actions.json")
"""`python -m tests.aws_schemas.permissions` generates it, from what CloudFormation and IAM say of themselves."""


@dataclass(frozen=True)
class IamAction:
    """What IAM says of an action."""

    name: str
    level: str
    """`Read`, `List`, `Write`, `Tagging` or `Permissions management`."""
    arns: tuple[str, ...]
    """ARNs of the resources that it is about, with placeholders; none where it is about no single one."""
    tagged: bool
    """Whether a condition on the tags of the resource is heeded."""


@cache
def actions() -> Mapping[str, IamAction]:
    """All known actions by name."""
    data = json.loads(ACTIONS_FILE.read_text("utf-8"))["actions"]
    return {
        name: IamAction(name, facts["level"], tuple(facts["arns"]), facts["tagged"]) for name, facts in data.items()
    }


@cache
def actions_of_types() -> Mapping[str, tuple[str, ...]]:
    """Names of the actions that each Pulumi type needs."""
    data = json.loads(ACTIONS_FILE.read_text("utf-8"))["types"]
    return {type_: tuple(names) for type_, names in data.items()}
