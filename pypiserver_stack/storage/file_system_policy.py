"""Resource policy of the file system: tasks alone, through their access point and over TLS."""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.policies import policy_document
from pypiserver_stack.storage.file_system import Storage

_MOUNT = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
_ROOT = "elasticfilesystem:ClientRootAccess"
_ANYBODY = {"AWS": "*"}


def file_system_policy(
    name: str, storage: Storage, task_role: aws.iam.Role, *, parent: pulumi.Resource
) -> aws.efs.FileSystemPolicy:
    """The policy of the file system itself, which anonymous clients are held to as well.

    It names what NFS clients do and nothing else, so that it can lock nobody out of administering the file system. Of
    the conditions that IAM knows, EFS applies four to NFS clients, and who asks is not among them: the denials cannot
    make an exception for a role, so that the one of maintenance takes one of them away.
    """
    through = {"elasticfilesystem:AccessPointArn": storage.access_point.arn}
    maintenance = storage.maintenance_role_arn
    statements: list[dict[str, Any]] = [
        {
            "Sid": "TasksThroughTheirAccessPoint",
            "Effect": "Allow",
            "Principal": {"AWS": task_role.arn},
            "Action": _MOUNT,
            "Condition": {"StringEquals": through},
        },
        {
            "Sid": "NobodyWithoutTls",
            "Effect": "Deny",
            "Principal": _ANYBODY,
            "Action": [*_MOUNT, _ROOT],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]
    if maintenance is None:
        statements += [
            {
                "Sid": "NobodyBesideTheAccessPoint",
                "Effect": "Deny",
                "Principal": _ANYBODY,
                "Action": _MOUNT,
                "Condition": {"StringNotEquals": through},
            },
            {"Sid": "NobodyAsRoot", "Effect": "Deny", "Principal": _ANYBODY, "Action": _ROOT},
        ]
    else:
        statements.append(
            {
                "Sid": "Maintenance",
                "Effect": "Allow",
                "Principal": {"AWS": maintenance},
                "Action": [*_MOUNT, _ROOT],
            }
        )
    return aws.efs.FileSystemPolicy(
        name,
        file_system_id=storage.file_system.id,
        policy=policy_document(*({**statement, "Resource": storage.file_system.arn} for statement in statements)),
        opts=pulumi.ResourceOptions(parent=parent),
    )
