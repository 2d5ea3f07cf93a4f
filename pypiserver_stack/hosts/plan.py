"""Task plan from settings; a refusal of sizing becomes a configuration error."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.invoke_options import invoke_options
from pypiserver_stack.settings import ConfigurationError, Settings, SettingsError
from pypiserver_stack.settings.groups.scaling import ScalingSettings
from pypiserver_stack.settings.problems import Problem
from sizing.capacity import TaskPlan, plan
from sizing.counted import counted
from sizing.errors import SizingError
from sizing.instances import Instance, UnknownInstanceError, find


def plan_capacity(settings: Settings, opts: pulumi.ResourceOptions | None = None) -> tuple[Instance, TaskPlan]:
    """The instance type that the settings name, and what it and they amount to.

    Raises:
        ConfigurationError: the type is unknown, to us and to AWS, or cannot hold the tasks.
    """
    instance = _instance(settings.instance_type, invoke_options(opts))
    try:
        planned = plan(settings, instance)
    except SizingError as refused:
        raise ConfigurationError(str(refused)) from refused
    if problems := [*_scheduled_beyond(settings, planned), *_stuck(settings, planned)]:
        raise SettingsError(problems)
    return instance, planned


def _scheduled_beyond(settings: ScalingSettings, planned: TaskPlan) -> Iterator[Problem]:
    """Scheduled counts that the hosts, which are sized for the plan, do not hold."""
    for action in settings.scheduled_scaling:
        for key in ("task_min_count", "task_max_count"):
            count = getattr(action, key)
            if count is not None and count > planned.task_max_count:
                yield Problem(
                    "scheduled_scaling",
                    f"{action.name}: {key} {count}",
                    f"at most task_max_count, which is {planned.task_max_count}: the hosts hold no more",
                )


def _stuck(settings: ScalingSettings, planned: TaskPlan) -> Iterator[Problem]:
    """Percentages that, rounded as ECS does, neither let a new task start nor an old one go."""
    minimum, maximum = settings.deployment_minimum_healthy_percent, settings.deployment_maximum_percent
    for count in range(planned.task_min_count, planned.task_max_count + 1):
        if math.floor(count * maximum / 100) <= count <= math.ceil(count * minimum / 100):
            yield Problem(
                "deployment_maximum_percent",
                maximum,
                f"with {counted(count, 'task')} and deployment_minimum_healthy_percent = {minimum} no task could ever "
                f"be replaced: {math.ceil(100 * (count + 1) / count)} would do",
            )
            return


def _instance(name: str, invoke: pulumi.InvokeOptions) -> Instance:
    try:
        return find(name)
    except UnknownInstanceError as unknown:
        try:
            described = aws.ec2.get_instance_type(instance_type=name, opts=invoke)
        except Exception as refused:  # whatever the provider raises, it does not know the type either
            raise ConfigurationError(f"{unknown} ({refused})") from refused
    return Instance.described(
        name,
        vcpu_count=described.default_vcpus,
        memory_mb=described.memory_size,
        architecture="arm64" if "arm64" in described.supported_architectures else "x86_64",
        burstable=described.burstable_performance_supported,
    )
