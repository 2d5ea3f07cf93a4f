"""What Pulumi's provider `random` computes: passwords."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

import bcrypt

from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


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
    "random:index/randomPassword:RandomPassword": _random_password,
}
