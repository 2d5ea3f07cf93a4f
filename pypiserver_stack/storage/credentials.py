"""Generated credentials and their secret."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from pypiserver_stack.common.policies import policy_document
from pypiserver_stack.common.tags import Tags
from pypiserver_stack.settings.groups.credentials import CredentialSettings

USERNAME = "pypiserver"


class Credentials(pulumi.ComponentResource):
    """Random passwords in Secrets Manager.

    The secret's value is JSON: `username`, `password` (the one to publish to users) and `accepted_passwords` (a list:
    two while a rotation is under way). ECS injects it when a task starts, from the very version named here.
    """

    def __init__(
        self, name: str, settings: CredentialSettings, tags: Tags, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("pypiserver:index:Credentials", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        passwords = {number: self._generated(name, number) for number in settings.password_generations}
        published = passwords[settings.published_generation]
        self.password = published.result
        self.bcrypt_hash = published.bcrypt_hash
        self.key_arn = settings.secret_kms_key_arn
        self.secret = aws.secretsmanager.Secret(
            name,
            description="Credentials of the package index",
            kms_key_id=self.key_arn,
            recovery_window_in_days=settings.secret_recovery_window_days,
            tags=tags(name),
            opts=self._child,
        )
        version = aws.secretsmanager.SecretVersion(
            name,
            secret_id=self.secret.id,
            secret_string=pulumi.Output.json_dumps(
                {
                    "username": USERNAME,
                    "password": self.password,
                    "accepted_passwords": [password.result for password in passwords.values()],
                }
            ),
            opts=self._child,
        )
        if settings.secret_readers:
            self._admit_readers(name, settings)
        # The version is pinned: a new one reaches the tasks only through a deployment, never half of them by chance.
        self.value_from = pulumi.Output.concat(self.secret.arn, ":::", version.version_id)
        self.register_outputs({"secret_arn": self.secret.arn})

    def _generated(self, name: str, generation: int) -> random.RandomPassword:
        # 62^32 possibilities, 190 bits: no slow hash can make this any harder to guess.
        return random.RandomPassword(
            name if generation == 1 else f"{name}-{generation}", length=32, special=False, opts=self._child
        )

    def _admit_readers(self, name: str, settings: CredentialSettings) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": list(settings.secret_readers)},
            "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
            "Resource": self.secret.arn,
        }
        aws.secretsmanager.SecretPolicy(
            name,
            secret_arn=self.secret.arn,
            policy=policy_document(statement),
            block_public_policy=True,
            opts=self._child,
        )
