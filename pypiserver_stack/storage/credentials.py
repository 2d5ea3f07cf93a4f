"""Generated credentials, each in a secret of its own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from pypiserver_stack.common.policies import policy_document
from pypiserver_stack.common.tags import Tags
from pypiserver_stack.settings.groups.credentials import CredentialSettings

USERNAME = "pypiserver"
"""Of the credential with all rights."""
_SUFFIXES = {"admin": "", "read": "-read", "upload": "-upload"}
"""Of the names of a role's user and resources."""


@dataclass(frozen=True)
class Credential:
    """User name and published password, and the secret that holds them."""

    username: str
    password: pulumi.Output[str]
    bcrypt_hash: pulumi.Output[str]
    secret_arn: pulumi.Output[str]
    value_from: pulumi.Output[str]
    """The secret in the very version that was written, as ECS injects it."""


class Credentials(pulumi.ComponentResource):
    """Random passwords in Secrets Manager.

    A secret's value is JSON: `username`, `password` (the one to publish to users) and `accepted_passwords` (a list:
    two while a rotation is under way). ECS injects it when a task starts, from the very version named here.
    """

    def __init__(
        self,
        name: str,
        settings: CredentialSettings,
        tags: Tags,
        *,
        roles: Collection[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        Args:
            roles: those to make a credential for.
        """
        super().__init__("pypiserver:index:Credentials", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._settings = settings
        self._tags = tags
        self.key_arn = settings.secret_kms_key_arn
        self.by_role = {role: self._credential(f"{name}{_SUFFIXES[role]}", role) for role in roles}
        self.register_outputs({"secret_arn": self.by_role["admin"].secret_arn})

    def _credential(self, name: str, role: str) -> Credential:
        settings = self._settings
        passwords = {number: self._generated(name, number) for number in settings.password_generations}
        published = passwords[settings.published_generation]
        username = f"{USERNAME}{_SUFFIXES[role]}"
        secret = aws.secretsmanager.Secret(
            name,
            description="Credentials of the package index",
            kms_key_id=self.key_arn,
            recovery_window_in_days=settings.secret_recovery_window_days,
            tags=self._tags(name),
            opts=self._child,
        )
        version = aws.secretsmanager.SecretVersion(
            name,
            secret_id=secret.id,
            secret_string=pulumi.Output.json_dumps(
                {
                    "username": username,
                    "password": published.result,
                    "accepted_passwords": [password.result for password in passwords.values()],
                }
            ),
            opts=self._child,
        )
        if readers := settings.readers_by_role[role]:
            self._admit(readers, name, secret)
        # The version is pinned: a new one reaches the tasks only through a deployment, never half of them by chance.
        value_from = pulumi.Output.concat(secret.arn, ":::", version.version_id)
        return Credential(username, published.result, published.bcrypt_hash, secret.arn, value_from)

    def _generated(self, name: str, generation: int) -> random.RandomPassword:
        # 62^32 possibilities, 190 bits: no slow hash can make this any harder to guess.
        return random.RandomPassword(
            name if generation == 1 else f"{name}-{generation}", length=32, special=False, opts=self._child
        )

    def _admit(self, readers: Collection[pulumi.Input[str]], name: str, secret: aws.secretsmanager.Secret) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": list(readers)},
            "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            "Resource": secret.arn,
        }
        aws.secretsmanager.SecretPolicy(
            name,
            secret_arn=secret.arn,
            policy=policy_document(statement),
            block_public_policy=True,
            opts=self._child,
        )
