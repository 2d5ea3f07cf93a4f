"""What AWS computes for secrets."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from bench.deployment.local_cloud.computed.identity import Compute, Computed, Identity, Inputs


def _secret_version(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    # Another value is another version. Keyed, because the id is no secret.
    text = f"{identity.urn}/{inputs['secretString']}"
    version = hmac.digest(identity.entropy, text.encode(), hashlib.sha256).hex()[:32]
    return f"{inputs['secretId']}|{version}", {"versionId": version, "arn": inputs["secretId"]}


def _secret(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    arn = identity.arn("secretsmanager", f"secret:{name}-{identity.digest[7:13]}")
    return arn, {"name": name, "arn": arn}


RESOURCES: Mapping[str, Compute] = {
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretPolicy:SecretPolicy": lambda identity, inputs: (inputs["secretArn"], {}),
    "aws:secretsmanager/secretVersion:SecretVersion": _secret_version,
}
