"""From settings to the task plan, with every refusal of sizing told as one of the configuration."""

from __future__ import annotations

import pulumi_aws as aws

from pypiserver_stack.settings import ConfigurationError, Settings
from sizing.capacity import TaskPlan, plan
from sizing.errors import SizingError
from sizing.instances import Instance, UnknownInstanceError, find


def plan_capacity(settings: Settings) -> tuple[Instance, TaskPlan]:
    """The instance type that the settings name, and what it and they amount to.

    Raises:
        ConfigurationError: the type is unknown, to us and to AWS, or cannot hold the tasks.
    """
    instance = _instance(settings.instance_type)
    try:
        return instance, plan(settings, instance)
    except SizingError as refused:
        raise ConfigurationError(str(refused)) from refused


def _instance(name: str) -> Instance:
    try:
        return find(name)
    except UnknownInstanceError as unknown:
        try:
            described = aws.ec2.get_instance_type(instance_type=name)
        except Exception as refused:  # whatever the provider raises, it does not know the type either
            raise ConfigurationError(f"{unknown} ({refused})") from refused
    return Instance.described(
        name,
        vcpu_count=described.default_vcpus,
        memory_mb=described.memory_size,
        architecture="arm64" if "arm64" in described.supported_architectures else "x86_64",
        burstable=described.burstable_performance_supported,
    )
