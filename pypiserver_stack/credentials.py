"""The generated credentials, and the secret that tasks receive them from."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from pypiserver_stack.settings import Settings
from pypiserver_stack.tags import Tags

USERNAME = "pypiserver"


class Credentials(pulumi.ComponentResource):
    """A random password in Secrets Manager.

    The secret's value is JSON: `username`, `password` (the one to publish to users) and `accepted_passwords` (a list:
    two while a rotation is under way). ECS injects it when a task starts, from the very version named here.
    """

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("pypiserver:index:Credentials", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = Tags(settings)
        # 62^32 possibilities, 190 bits: no slow hash can make this any harder to guess.
        generated = random.RandomPassword(name, length=32, special=False, opts=child)
        self.password = generated.result
        self.bcrypt_hash = generated.bcrypt_hash
        self.secret = aws.secretsmanager.Secret(
            name, description="Credentials of the package index", tags=tags(name), opts=child
        )
        version = aws.secretsmanager.SecretVersion(
            name,
            secret_id=self.secret.id,
            secret_string=pulumi.Output.json_dumps(
                {"username": USERNAME, "password": self.password, "accepted_passwords": [self.password]}
            ),
            opts=child,
        )
        # The version is pinned: a new one reaches the tasks only through a deployment, never half of them by chance.
        self.value_from = pulumi.Output.concat(self.secret.arn, ":::", version.version_id)
        self.register_outputs({"secret_arn": self.secret.arn})
