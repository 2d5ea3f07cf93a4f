"""Outputs of the component, which a stack of it exports."""

# Pulumi reads these annotations as they are, so they must not be kept as text: no `from __future__ import annotations`.

from dataclasses import fields
from typing import TYPE_CHECKING, Any, get_type_hints

from pulumi import Output

from pypiserver_stack.common.schema_types import schema_type, typed_dict
from sizing.capacity import TaskPlan

if TYPE_CHECKING:
    Capacity = dict[str, Any]
else:
    _HINTS = get_type_hints(TaskPlan)
    Capacity = typed_dict(
        "Capacity",
        {field.name: schema_type(_HINTS[field.name]) for field in fields(TaskPlan)},
        "Task plan. Memory in MB of 2**20 bytes, 1024 CPU units to a vCPU.",
    )


class Outputs:
    """One annotation for each output, and its meaning."""

    url: Output[str]
    """URL of the index."""
    urls: list[Output[str]]
    """URLs of the index, one for each of its names."""
    username: str
    """User name of the generated credential with all rights."""
    password: Output[str]
    """Its password."""
    credentials_secret_arn: Output[str]
    """ARN of the secret that holds both."""
    read_username: str | None
    """User name of the generated credential that may install and not publish; none unless authentication is sha256."""
    read_password: Output[str] | None
    """Its password."""
    read_credentials_secret_arn: Output[str] | None
    """ARN of the secret that holds both."""
    upload_username: str | None
    """User name of the generated credential that may install and publish, and not remove or yank; none unless
    authentication is sha256."""
    upload_password: Output[str] | None
    """Its password."""
    upload_credentials_secret_arn: Output[str] | None
    """ARN of the secret that holds both."""
    password_generations: Output[list[int]]
    """Numbers of the generated passwords that are accepted."""
    published_password_generation: Output[int]
    """Number of the generated password that each secret holds for its readers."""
    load_balancer_arn: Output[str]
    """ARN of the balancer."""
    load_balancer_dns_name: Output[str]
    """The balancer's own name."""
    cloudfront_distribution_id: Output[str] | None
    """Id of the distribution in front of the balancer; none without CloudFront."""
    cloudfront_domain_name: Output[str] | None
    """The distribution's own name, which it does not answer to; none without CloudFront."""
    access_logs_bucket: Output[str]
    """Bucket of the balancer's access logs."""
    ecs_cluster_name: Output[str]
    """Name of the ECS cluster."""
    ecs_service_name: Output[str]
    """Name of the ECS service."""
    ecs_service_arn: Output[str]
    """ARN of the ECS service."""
    task_definition_arn: Output[str]
    """ARN of the task definition that the service runs."""
    asg_name: Output[str]
    """Name of the Auto Scaling group."""
    file_system_id: Output[str]
    """Id of the EFS file system."""
    access_point_id: Output[str]
    """Id of the access point to the packages."""
    cloudwatch_alarm_sns_topic_arn: Output[str] | None
    """ARN of the topic that alarms notify; none without alarm_emails."""
    cloudwatch_alarm_arns: list[Output[str]]
    """ARN of each alarm."""
    cloudwatch_dashboard_url: Output[str] | None
    """URL of the dashboard; none without one."""
    backup_vault_name: Output[str] | None
    """Name of the vault that the backups are in; none without backups."""
    backup_role_arn: Output[str] | None
    """ARN of the role that AWS Backup copies and restores with; none without backups."""
    profile: str
    """The profile that the settings began with."""
    capacity: Capacity
    """The task plan: every number of it, which constraint bound, and warnings about what it holds."""
