"""Description of a deployment in reports: stack, plan, and the differences of a local run from AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import AwareDatetime, Field

from bench.common.model_part import Count, ModelPart, Positive


class Stack(ModelPart):
    """The stack that was deployed, and the engine."""

    name: str
    profile: str
    engine: str = Field(description="`pulumi` or `embedded`.")
    target: str = Field(description="`local` or `aws`.")


class Plan(ModelPart):
    """The task plan for AWS, whatever ran here."""

    instance_type: str
    instances: Positive = Field(description="Fewest EC2 instances.")
    tasks_per_instance: Positive
    task_min_count: Positive
    task_max_count: Positive
    gunicorn_workers: Positive = Field(description="Worker processes of one task.")
    container_cpu_units: Positive = Field(description="1024 are one vCPU.")
    container_memory_mb: Positive = Field(description="Hard limit of a task, MiB.")
    container_memory_reservation_mb: Positive = Field(description="What placement sets aside for a task, MiB.")
    bound_by: str = Field(description="What limits tasks per instance: memory, cpu, or both alike.")

    @classmethod
    def of(cls, capacity: Mapping[str, Any]) -> Plan:
        """The plan that a stack exports as `capacity`."""
        names = cls.model_fields.keys() - {"instances"}
        return cls(instances=capacity["instance_min_count"], **{name: capacity[name] for name in names})


class VersionPair(ModelPart):
    """The same program here and in the task's image; null where it is not known."""

    local: str | None
    image: str | None


class Versions(ModelPart):
    """Versions that the tasks of this run consisted of, against the image that ECS would start."""

    python: VersionPair
    gunicorn: VersionPair
    gevent: VersionPair


class TaskMemory(ModelPart):
    """Memory of one local task against the limit in its task definition."""

    task: str = Field(description="The task, as in per_task.")
    peak_pss_mb: float = Field(ge=0, description="Largest proportional set size of its process tree, MiB.")
    limit_mb: Positive = Field(description="Hard limit, MiB.")
    would_be_oom_killed: bool = Field(description="On ECS the kernel would have killed processes of it.")
    oom_kills: Count | None = Field(
        default=None,
        description="Processes of it that the kernel killed; null where the limit is not enforced.",
    )
    first_oom_kill_at: AwareDatetime | None = Field(
        default=None, description="UTC, to a fifth of a second; null where there was none."
    )


class Limits(ModelPart):
    """Limits of ECS and of the instances that control groups enforced on the tasks of this run."""

    memory: bool = Field(description="Each task's hard limit, by OOM kills.")
    cpu_shares: bool = Field(description="Tasks of an instance competed for CPU time by their CPU units.")
    vcpus_per_instance: Positive | None = Field(
        description="Processors that the tasks of an instance used at most at a time; null where that was not enforced."
    )
    not_enforced: tuple[str, ...] = Field(description="What was not enforced, and why.")


NO_LIMITS = Limits(memory=False, cpu_shares=False, vcpus_per_instance=None, not_enforced=())


class Local(ModelPart):
    """Differences of the run on this machine from the plan it stands for."""

    tasks_run: Count
    tasks_planned: Positive
    workers_per_task: Positive
    versions: Versions
    memory: list[TaskMemory]
    limits: Limits | None = Field(default=None, description="Null in a report of before there were any.")
    differences: list[str] = Field(description="Sentences: what AWS would do otherwise.")


class Fact(ModelPart):
    """State of a part of the stack, in words."""

    name: str
    value: str = Field(description="Begins with `not known:` where it could not be had, and says why.")


@dataclass(frozen=True)
class Description:
    """Description of an index under test. None or empty: not known yet, or not known of such an index."""

    url: str | None = None
    stack: Stack | None = None
    plan: Plan | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    """Values of the stack file and the overrides, by setting. A value may hold a secret."""
    tasks: tuple[str, ...] = ()
    """The tasks, as their X-Served-By names them."""
    local: Local | None = None
    """How the run differs from AWS, without the tasks' memory, which an `Observation` has."""
    concurrent_uploads: int = 0
    """Uploads that the server takes at a time; 0 for an index that `up` has filled, or that has its own packages."""
    notes: tuple[str, ...] = ()
    """Sentences: how the index is unlike the others of a comparison."""
    warnings: tuple[str, ...] = ()
    """Warnings of the plan."""
    facts: tuple[Fact, ...] = ()
    """State of the stack before the load, and how it was observed; none on this machine."""
