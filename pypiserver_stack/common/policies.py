"""IAM roles and their policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags

# Services that say on whose behalf they come. EC2 does not. Of AWS Backup the documentation says it for the policies of
# keys and topics, and of no role: with the condition there might be no backups.
TELL_THE_ACCOUNT = frozenset({"ecs-tasks.amazonaws.com", "vpc-flow-logs.amazonaws.com"})


class ServiceRole:
    """A role that an AWS service assumes, and its policies.

    `policies` are to be depended on: until they are attached the role can do nothing, and a service whose role lost
    them first can never be deleted.
    """

    def __init__(self, name: str, service: str, parent: pulumi.Resource, tags: Tags) -> None:
        self.role = aws.iam.Role(
            name,
            assume_role_policy=_trust(service, parent),
            tags=tags(name),
            opts=pulumi.ResourceOptions(parent=parent),
        )
        self._child = pulumi.ResourceOptions(parent=self.role)
        self.policies: list[pulumi.Resource] = []

    def allow(self, name: str, *statements: dict[str, Any]) -> None:
        """Add statements, their values Inputs or plain, as one inline policy."""
        self.allow_document(name, pulumi.Output.json_dumps(allowing(*statements)))

    def allow_document(self, name: str, document: pulumi.Input[str]) -> None:
        """Add a policy document, as JSON, as an inline policy."""
        self.policies.append(aws.iam.RolePolicy(name, role=self.role.id, policy=document, opts=self._child))


def policy_document(*statements: Mapping[str, Any]) -> pulumi.Output[str]:
    """A policy document of statements, their values Inputs or plain, as JSON."""
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements})


def allowing(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy document of statements that allow."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}


def _trust(service: str, parent: pulumi.Resource) -> pulumi.Output[str]:
    """The trust policy of a role: for the service, and if it names an account, for this one alone."""
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    if service in TELL_THE_ACCOUNT:
        # Otherwise somebody in another account could have the service use the role for them.
        account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(parent=parent)).account_id
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
    return policy_document(statement)
