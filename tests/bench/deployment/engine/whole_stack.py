"""The whole program on the real engine: a stack with a resource of every type, and what a change of it comes to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from bench.deployment.engine import StackConfig
from bench.deployment.engine.automation import AutomationEngine
from bench.deployment.engine.cloud import Cloud
from bench.deployment.engine.workspace import Workspace
from bench.deployment.stack_config import load_stack

ROOT = Path(__file__).resolve().parents[4]

WHOLE = (
    "zone_id=Z0123456789ABCDEFGHIJ",
    "dns_role_arn=arn:aws:iam::210987654321:role/dns",
    "allow_http=false",
    "balancer_scheme=internet-facing",
    "ipv6_enabled=true",
    "waf_enabled=true",
    "flow_logs_enabled=true",
    "alarm_emails=ops@wheels.example",
    "secret_readers=arn:aws:iam::123456789012:role/platform",
    "read_secret_readers=arn:aws:iam::123456789012:role/ci",
    "upload_secret_readers=arn:aws:iam::123456789012:role/release",
    'scheduled_scaling=[{"name": "ci-peak", "schedule": "cron(0 8 ? * MON *)", "task_min_count": 6}]',
)
"""Settings of the stress stack with which there is a resource of every type."""

SMALL = StackConfig(
    "pypiserver",
    "test",
    {"pypiserver:profile": "light", "pypiserver:allow_http": "true", "pypiserver:deletion_protection": "false"},
)
"""A stack that is quick to stand up."""

KINDS = ("create", "update", "replace", "delete")
# A resource that is deleted with the replaced one that it refers to, and not made again.
_KIND_OF = {**{kind: kind for kind in KINDS}, "remove-pending-replace": "delete"}


def whole(*overrides: str, without: Collection[str] = ()) -> StackConfig:
    """The configuration of that stack with some settings changed, or without some."""
    kept = [setting for setting in WHOLE if setting.partition("=")[0] not in without]
    return load_stack(ROOT, "stress", (*kept, *overrides))[0]


def fast_engine(cloud: Cloud, work_dir: Path, project_dir: Path = ROOT) -> AutomationEngine:
    """The real engine. It saves its state once an operation, and not after each of the program's 111 resources.

    That is half of the CLI's time. What a killed CLI leaves is for tests of an engine as it is.
    """
    engine = AutomationEngine(cloud, project_dir, Workspace.within(work_dir))
    engine._command.environment |= {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
    return engine


def changes(operate: Callable[..., object]) -> dict[str, str]:
    """What a preview or an update changes: each resource's label, and the kind of change.

    All that a replacement consists of is one change.

    Args:
        operate: a stack's `preview` or `up`.
    """
    found: dict[str, str] = {}

    def note(event: object) -> None:
        step = getattr(getattr(event, "resource_pre_event", None), "metadata", None)
        if step is not None and step.type.startswith(("aws:", "random:")):
            kind = _KIND_OF.get(str(getattr(step.op, "value", step.op)))
            if kind is not None:
                found[label(step.urn)] = kind

    operate(color="never", on_event=note)
    return found


def label(urn: str) -> str:
    """A resource in few words: its type without the module, and what its name has after the service's."""
    qualified_type, name = urn.rsplit("::", 1)
    return f"{qualified_type.rsplit(':', 1)[1]} {name.removeprefix('pypiserver').removeprefix('-')}".rstrip()
