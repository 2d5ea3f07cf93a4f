"""The whole program on the real engine: a stack with a resource of every type, and what a change of it comes to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pulumi.automation import Stack

from bench.engine import StackConfig
from bench.stack_config import load_stack

ROOT = Path(__file__).resolve().parents[3]

WHOLE = (
    "zone_id=Z0123456789ABCDEFGHIJ",
    "dns_role_arn=arn:aws:iam::210987654321:role/dns",
    "allow_http=false",
    "balancer_scheme=internet-facing",
    "ipv6_enabled=true",
    "waf_enabled=true",
    "flow_logs_enabled=true",
    "alarm_emails=ops@wheels.example",
    "secret_readers=arn:aws:iam::123456789012:role/ci",
    "scheduled_scaling=" + json.dumps([{"name": "ci-peak", "schedule": "cron(0 8 ? * MON *)", "task_min_count": 16}]),
)
"""Settings of the stress stack with which there is a resource of every type."""

CHANGES = ("create", "update", "replace", "delete")


def whole(*overrides: str) -> StackConfig:
    """The configuration of that stack, with settings changed."""
    return load_stack(ROOT, "stress", (*WHOLE, *overrides))[0]


def changes(operation: Any) -> dict[str, str]:
    """What a preview or an update changes: type and name of each resource, and the kind of change.

    All that a replacement consists of is one change. The program's name in front of a resource's is left out.

    Args:
        operation: `Stack.preview` or `Stack.up`, bound.
    """
    found: dict[str, str] = {}

    def note(event: object) -> None:
        step = getattr(getattr(event, "resource_pre_event", None), "metadata", None)
        if step is not None and step.type.startswith(("aws:", "random:")):
            kind = str(getattr(step.op, "value", step.op))
            if kind in CHANGES:
                found[label(step.urn)] = kind

    operation(color="never", on_event=note)
    return found


def label(urn: str) -> str:
    """A resource as the table names it: its type without the module, and its name without the service's."""
    name = urn.rsplit("::", 1)[1].removeprefix("pypiserver").removeprefix("-")
    return f"{urn.rsplit('::', 1)[0].rsplit(':', 1)[1]} {name}".rstrip()


def preview(stack: Stack) -> dict[str, str]:
    return changes(stack.preview)
