"""Credentials of a request, and their check against the generated passwords.

A generated password of 190 bits cannot be guessed however fast it is checked, so a plain SHA-256 is as safe here as a
slow hash, and thousands of times cheaper on every request.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, MutableMapping

from pypiserver_stack.container.access.roles import Check, Role

VARIABLES = {
    "PYPISERVER_READ_CREDENTIALS": Role.READ,
    "PYPISERVER_UPLOAD_CREDENTIALS": Role.UPLOAD,
    "PYPISERVER_CREDENTIALS": Role.ADMIN,
}
"""Variables that ECS injects secrets as, and the roles of the credentials in them."""
# Longer ones are no credentials: decoding megabytes would cost more than the rest of the request.
_HEADER_LIMIT = 8192


class RetryLaterError(Exception):
    """The credentials are not judged now: the status to answer, why, and after how many seconds to try again."""

    def __init__(self, status: str, sentence: str, retry_after_s: int) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.retry_after_s = retry_after_s


def basic_credentials(authorization: str | None) -> tuple[str, str] | None:
    """User name and password of an `Authorization` header (RFC 7617, in UTF-8); None when it holds none."""
    if authorization is None or len(authorization) > _HEADER_LIMIT:
        return None
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, colon, password = base64.b64decode(encoded.strip(" "), validate=True).decode().partition(":")
    except ValueError:
        return None
    return (username, password) if colon else None


def unambiguous(*fields: str) -> bytes:
    """The fields in one piece. The lengths keep ("ab", "c") and ("a", "bc") apart."""
    return "".join([f"{len(field)}:{field}" for field in fields]).encode("utf-8", "surrogatepass")


def generated_credentials(injected: Mapping[str, str]) -> Check:
    """The check against `VARIABLES`: each JSON with `username` and `accepted_passwords`. Keeps digests only.

    Raises:
        ValueError: a variable is missing, or something else.
    """
    accepted = [(digest, role) for name, role in VARIABLES.items() for digest in _digests(name, injected.get(name))]

    def check(username: str, password: str, request: Mapping[str, object]) -> Role | None:
        offered = _digest(username, password)
        matched = None
        for digest, role in accepted:  # all of them, always: how long it takes tells nothing about which one matched
            if hmac.compare_digest(offered, digest):
                matched = role
        return matched

    return check


def injected_secrets(environment: MutableMapping[str, str]) -> dict[str, str]:
    """Those of `VARIABLES` that are set; they are removed from the environment."""
    return {name: environment.pop(name) for name in VARIABLES if name in environment}


def _digests(name: str, injected: str | None) -> list[bytes]:
    try:
        secret = json.loads(injected or "")
        username, passwords = secret["username"], secret["accepted_passwords"]
        if not (isinstance(passwords, list) and passwords and all(passwords)):
            raise ValueError("no list of passwords")
        return [_digest(username, password) for password in passwords]
    except (ValueError, TypeError, KeyError):
        sentence = f"{name} must be JSON with username and accepted_passwords, as ECS injects it from the secret"
        raise ValueError(sentence) from None  # the cause carries the secret


def _digest(username: str, password: str) -> bytes:
    return hashlib.sha256(unambiguous(username, password)).digest()
