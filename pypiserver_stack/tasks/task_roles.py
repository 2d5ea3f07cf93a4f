"""Execution role and task role."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.policies import ServiceRole
from pypiserver_stack.common.tags import Tags
from pypiserver_stack.settings.private_ecr import repository
from pypiserver_stack.storage.file_system import Storage

TASKS = "ecs-tasks.amazonaws.com"


def execution_role(
    name: str,
    image: str,
    *,
    log_group: aws.cloudwatch.LogGroup,
    secret_arns: Sequence[pulumi.Input[str]],
    secret_key_arn: pulumi.Input[str] | None,
    parent: pulumi.Resource,
    tags: Tags,
) -> ServiceRole:
    """Writes the task's log, reads the secrets that are injected, and pulls a private image.

    Not AmazonECSTaskExecutionRolePolicy, which writes to every log group and pulls from every repository.
    """
    role = ServiceRole(f"{name}-execution", TASKS, parent, tags)
    role.allow(
        f"{name}-write-log",
        {
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": pulumi.Output.concat(log_group.arn, ":log-stream:*"),
        },
    )
    if secret_arns:
        role.allow(f"{name}-read-credentials", {"Action": "secretsmanager:GetSecretValue", "Resource": secret_arns})
    if secret_arns and secret_key_arn is not None:
        role.allow(
            f"{name}-decrypt-credentials",
            {
                "Action": "kms:Decrypt",
                "Resource": secret_key_arn,
                # Secrets Manager encrypts with the secret's ARN as context: the key opens nothing else.
                "Condition": {"StringEquals": {"kms:EncryptionContext:SecretARN": secret_arns}},
            },
        )
    if private := repository(image):
        role.allow(
            f"{name}-pull-image",
            {
                "Action": [
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:GetDownloadUrlForLayer",
                    # The repository may be the cache of another registry, which fills it when it is first pulled from.
                    "ecr:BatchImportUpstreamImage",
                    "ecr:CreateRepository",
                ],
                "Resource": pulumi.Output.concat(
                    log_group.arn.apply(lambda arn: arn.split(":")[1]).apply(lambda partition: f"arn:{partition}:ecr:"),
                    f"{private.region}:{private.account}:repository/{private.name}",
                ),
            },
            # A login to the registry as a whole; AWS has no narrower resource for it.
            {"Action": "ecr:GetAuthorizationToken", "Resource": "*"},
        )
    return role


def task_role(name: str, storage: Storage, *, parent: pulumi.Resource, tags: Tags) -> ServiceRole:
    """Mounts the packages to read and write, through the access point alone."""
    role = ServiceRole(f"{name}-task", TASKS, parent, tags)
    role.allow(
        f"{name}-mount-packages",
        {
            "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
            "Resource": storage.file_system.arn,
            "Condition": {"StringEquals": {"elasticfilesystem:AccessPointArn": storage.access_point.arn}},
        },
    )
    return role
