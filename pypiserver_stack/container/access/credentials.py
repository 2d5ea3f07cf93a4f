"""Credentials of a request, and their check against the generated password.

A generated password of 190 bits cannot be guessed however fast it is checked, so a plain SHA-256 is as safe here as a
slow hash, and thousands of times cheaper on every request.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping

Check = Callable[[str, str, Mapping[str, object]], bool]
"""User name, password, and the request they came with: whether they are right. May raise `RetryLaterError`."""

CREDENTIALS = "PYPISERVER_CREDENTIALS"
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


def generated_credentials(injected: str | None) -> Check:
    """The check against `PYPISERVER_CREDENTIALS`: JSON with `username` and `accepted_passwords`. Keeps digests only.

    Raises:
        ValueError: the variable is missing, or something else.
    """
    try:
        secret = json.loads(injected or "")
        username, passwords = secret["username"], secret["accepted_passwords"]
        if not (isinstance(passwords, list) and passwords and all(passwords)):
            raise ValueError("no list of passwords")
        accepted = [_digest(username, password) for password in passwords]
    except (ValueError, TypeError, KeyError):
        sentence = f"{CREDENTIALS} must be JSON with username and accepted_passwords, as ECS injects it from the secret"
        raise ValueError(sentence) from None  # the cause carries the secret

    def check(username: str, password: str, request: Mapping[str, object]) -> bool:
        offered = _digest(username, password)
        matched = False
        for digest in accepted:  # all of them, always: how long it takes tells nothing about which one matched
            matched |= hmac.compare_digest(offered, digest)
        return matched

    return check


def _digest(username: str, password: str) -> bytes:
    return hashlib.sha256(unambiguous(username, password)).digest()
