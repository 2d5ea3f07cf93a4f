"""Launch template of the Auto Scaling group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.hosts.user_data import user_data
from pypiserver_stack.settings.groups.hosts import HostSettings
from sizing.capacity import TaskPlan
from sizing.instances import Instance

AMI_PARAMETERS = {
    "x86_64": "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id",
    "arm64": "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id",
}
# A cluster that is given no name is called as its resource, with eight characters more.
_PLACEHOLDER_SUFFIX = "-0123456"


def refuse_large_user_data(name: str, settings: HostSettings, plan: TaskPlan) -> None:
    """Refuse user data that EC2 does not take, as far as it is known before any resource exists.

    Raises:
        ConfigurationError: it does not.
    """
    files: Any = [dict(file) for file in settings.host_extra_files if isinstance(file.content, str)]
    user_data(settings, plan.memory_for_tasks_mb, cluster_name=name + _PLACEHOLDER_SUFFIX, files=files)


def launch_template(
    name: str,
    settings: HostSettings,
    tags: Tags,
    plan: TaskPlan,
    instance: Instance,
    *,
    cluster_name: pulumi.Input[str],
    profile: aws.iam.InstanceProfile,
    security_group_id: pulumi.Input[str],
    host_files: Mapping[str, pulumi.Input[str]],
    parent: pulumi.Resource,
) -> aws.ec2.LaunchTemplate:
    """The template of the hosts. It names no key pair: people come through Session Manager."""
    burstable = instance.burstable_baseline_percent is not None
    return aws.ec2.LaunchTemplate(
        name,
        image_id=settings.ami_id or _newest_image(instance, parent),
        instance_type=plan.instance_type,
        iam_instance_profile={"arn": profile.arn},
        vpc_security_group_ids=[security_group_id],
        metadata_options={
            "http_endpoint": "enabled",
            "http_tokens": "required",
            # One hop ends on the host. A task in bridge mode is one further: it gets no token, and with it neither the
            # role of the instance nor its user data. Its own credentials come from the ECS agent, and the agents and
            # the mount helper of EFS run on the host.
            "http_put_response_hop_limit": 1,
        },
        monitoring={"enabled": settings.detailed_monitoring_enabled},
        credit_specification=(
            {"cpu_credits": settings.cpu_credits or "unlimited"}
            if burstable
            else None  # AWS refuses it for any other type
        ),
        block_device_mappings=[
            {
                "device_name": "/dev/xvda",
                "ebs": {
                    "encrypted": "true",
                    "kms_key_id": settings.root_volume_kms_key_arn,
                    "volume_type": "gp3",
                    "volume_size": settings.root_volume_gb,
                    "delete_on_termination": "true",
                },
            }
        ],
        user_data=_user_data(settings, plan, cluster_name, host_files),
        tag_specifications=[{"resource_type": kind, "tags": tags(name)} for kind in ("instance", "volume")],
        tags=tags(name),
        opts=pulumi.ResourceOptions(parent=parent),
    )


def _newest_image(instance: Instance, parent: pulumi.Resource) -> pulumi.Output[str]:
    return aws.ssm.get_parameter_output(
        name=AMI_PARAMETERS[instance.architecture], opts=pulumi.InvokeOutputOptions(parent=parent)
    ).value


def _user_data(
    settings: HostSettings, plan: TaskPlan, cluster_name: pulumi.Input[str], host_files: Mapping[str, pulumi.Input[str]]
) -> pulumi.Output[str]:
    files = [
        *({"path": path, "permissions": "0644", "content": content} for path, content in host_files.items()),
        *map(dict, settings.host_extra_files),
    ]
    return pulumi.Output.all(cluster_name=cluster_name, files=files).apply(
        lambda known: user_data(settings, plan.memory_for_tasks_mb, **known)
    )
