"""What AWS computes for secrets."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _secret_version(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    # Another value is another version. Keyed, because the id is no secret.
    text = f"{origin.urn}/{inputs['secretString']}"
    version = hmac.digest(origin.entropy, text.encode(), hashlib.sha256).hex()[:32]
    return f"{inputs['secretId']}|{version}", {"versionId": version, "arn": inputs["secretId"]}


def _secret(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", origin.physical_name)
    arn = origin.arn("secretsmanager", f"secret:{name}-{origin.digest[7:13]}")
    return arn, {"name": name, "arn": arn}


RESOURCES: Mapping[str, Compute] = {
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretPolicy:SecretPolicy": lambda origin, inputs: (inputs["secretArn"], {}),
    "aws:secretsmanager/secretVersion:SecretVersion": _secret_version,
}
