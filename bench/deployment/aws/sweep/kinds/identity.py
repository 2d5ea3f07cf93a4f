"""Kinds of rights and secrets: roles, profiles, keys, secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.deployment.aws.sweep.clients import ServiceClients
from bench.deployment.aws.sweep.kind import ResourceKind
from bench.deployment.aws.sweep.lists import Lists
from bench.deployment.aws.sweep.resource import Presence, RunResource, Sighting, key_value_tags

TRUSTED = frozenset({"backup", "ec2", "ecs-tasks", "vpc-flow-logs"})
"""Services that the roles of a deployment trust. Tags of roles are read one by one: those of other roles are not."""


def _roles(lists: Lists) -> Iterator[Sighting]:
    for role in lists.aws.listed("iam", "list_roles", "Roles"):
        if _trusts(role["AssumeRolePolicyDocument"]):
            # The list does not have the tags.
            found = lists.aws("iam").get_role(RoleName=role["RoleName"])["Role"]
            yield Sighting(found["RoleName"], key_value_tags(found.get("Tags", ())))


def _trusts(document: Mapping[str, Any]) -> bool:
    statements = document.get("Statement", ())
    for statement in [statements] if isinstance(statements, Mapping) else statements:
        principal = statement.get("Principal", {})
        services = principal.get("Service", ()) if isinstance(principal, Mapping) else ()
        if {name.partition(".")[0] for name in ([services] if isinstance(services, str) else services)} & TRUSTED:
            return True
    return False


def _remove_role(aws: ServiceClients, role: RunResource) -> None:
    """With its policies, and out of its instance profiles."""
    iam, of_role = aws("iam"), {"RoleName": role.id}
    for name in aws.listed("iam", "list_role_policies", "PolicyNames", **of_role):
        iam.delete_role_policy(**of_role, PolicyName=name)
    for policy in aws.listed("iam", "list_attached_role_policies", "AttachedPolicies", **of_role):
        iam.detach_role_policy(**of_role, PolicyArn=policy["PolicyArn"])
    for profile in aws.listed("iam", "list_instance_profiles_for_role", "InstanceProfiles", **of_role):
        iam.remove_role_from_instance_profile(**of_role, InstanceProfileName=profile["InstanceProfileName"])
    iam.delete_role(**of_role)


def _profiles(lists: Lists) -> Iterator[Sighting]:
    for profile in lists.aws.listed("iam", "list_instance_profiles", "InstanceProfiles"):
        name = profile["InstanceProfileName"]
        found = lists.aws("iam").get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        yield Sighting(name, key_value_tags(found.get("Tags", ())))


def _remove_profile(aws: ServiceClients, profile: RunResource) -> None:
    iam, of_profile = aws("iam"), {"InstanceProfileName": profile.id}
    for role in iam.get_instance_profile(**of_profile)["InstanceProfile"]["Roles"]:
        iam.remove_role_from_instance_profile(**of_profile, RoleName=role["RoleName"])
    iam.delete_instance_profile(**of_profile)


def _keys(lists: Lists) -> Iterator[Sighting]:
    for arn, tags in lists.arns("kms", "key/"):
        yield Sighting(arn.rpartition("/")[2], tags)


def _look_at_key(aws: ServiceClients, key: RunResource) -> Presence:
    state = aws("kms").describe_key(KeyId=key.id)["KeyMetadata"]["KeyState"]
    # AWS keeps a key for seven days at least; it costs nothing meanwhile.
    return Presence.GONE if state == "PendingDeletion" else Presence.PRESENT


def _secrets(lists: Lists) -> Iterator[Sighting]:
    for secret in lists.aws.listed("secretsmanager", "list_secrets", "SecretList"):
        yield Sighting(secret["ARN"], key_value_tags(secret.get("Tags", ())))


ROLE = ResourceKind(
    "IAM role",
    _roles,
    lambda aws, role: aws("iam").get_role(RoleName=role.id)["Role"],
    _remove_role,
    "aws iam delete-role --role-name {id}",
)
INSTANCE_PROFILE = ResourceKind(
    "instance profile",
    _profiles,
    lambda aws, profile: aws("iam").get_instance_profile(InstanceProfileName=profile.id)["InstanceProfile"],
    _remove_profile,
    "aws iam delete-instance-profile --instance-profile-name {id}",
)
KEY = ResourceKind(
    "KMS key",
    _keys,
    _look_at_key,
    lambda aws, key: aws("kms").schedule_key_deletion(KeyId=key.id, PendingWindowInDays=7),
    "aws kms schedule-key-deletion --pending-window-in-days 7 --key-id {id}",
)
SECRET = ResourceKind(
    "secret",
    _secrets,
    # One that is gone for good is not found; one with a recovery window is removed for good.
    lambda aws, secret: aws("secretsmanager").describe_secret(SecretId=secret.id),
    lambda aws, secret: aws("secretsmanager").delete_secret(SecretId=secret.id, ForceDeleteWithoutRecovery=True),
    "aws secretsmanager delete-secret --force-delete-without-recovery --secret-id {id}",
)
