"""Roles, keys, secrets and generated passwords: what the provider would compute."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

import bcrypt

from bench.deployment.local_cloud.computed.origin import (
    Compute,
    Computed,
    Inputs,
    Origin,
    arn,
    global_arn,
    named,
    named_by_arn,
    template,
)


def _secret_version(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    # Another value is another version. Keyed, because the id is no secret.
    text = f"{origin.urn}/{inputs['secretString']}"
    version = hmac.digest(origin.entropy, text.encode(), hashlib.sha256).hex()[:32]
    return f"{inputs['secretId']}|{version}", {"versionId": version, "arn": inputs["secretId"]}


def _secret(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    return named_by_arn("secretsmanager", f"secret:{{name}}-{origin.digest[7:13]}")(origin, inputs)


def _random_password(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    stream = b"".join(
        hmac.digest(origin.entropy, f"{origin.digest}/{block}".encode(), hashlib.sha256)
        for block in range(1 + inputs["length"] // 8)
    )
    # Four bytes a character: the modulo then favours no letter by more than one in 69 million.
    numbers = (int.from_bytes(stream[4 * i : 4 * i + 4]) for i in range(inputs["length"]))
    result = "".join(alphabet[number % len(alphabet)] for number in numbers)
    salt = b"$2a$10$" + base64.b64encode(hashlib.sha256(stream).digest()[:16], altchars=b"./")[:21] + b"u"
    return "none", {"result": result, "bcryptHash": bcrypt.hashpw(result.encode(), salt).decode()}


RESOURCES: Mapping[str, Compute] = {
    "aws:iam/instanceProfile:InstanceProfile": named(global_arn("iam", "instance-profile/{name}")),
    "aws:iam/role:Role": named(global_arn("iam", "role/{name}")),
    "aws:iam/rolePolicy:RolePolicy": template("{role}:{physical_name}"),
    "aws:kms/key:Key": template("{uuid}", keyId="{id}", arn=arn("kms", "key/{id}")),
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretPolicy:SecretPolicy": template("{secretArn}"),
    "aws:secretsmanager/secretVersion:SecretVersion": _secret_version,
    "random:index/randomPassword:RandomPassword": _random_password,
}
