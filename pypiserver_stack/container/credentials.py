"""Who may use the index: the credentials that ECS injected, checked in constant time.

A generated password of 190 bits cannot be guessed however fast it is checked, so a plain SHA-256 is as safe here as a
slow hash, and thousands of times cheaper on every request.
"""

import hashlib
import hmac
import json
import os
from typing import Callable


def checker_from_environment() -> Callable[[str, str], bool]:
    """The check of a user name and a password against `PYPISERVER_CREDENTIALS`.

    The variable holds JSON with `username` and `accepted_passwords`; it is removed from the environment, and only
    digests are kept.
    """
    injected = json.loads(os.environ.pop("PYPISERVER_CREDENTIALS"))
    accepted = [_digest(injected["username"], password) for password in injected["accepted_passwords"]]

    def check(username: str, password: str) -> bool:
        offered = _digest(username, password)
        matched = False
        for digest in accepted:  # all of them, always: how long it takes tells nothing about which one matched
            matched |= hmac.compare_digest(offered, digest)
        return matched

    return check


def _digest(username: str, password: str) -> bytes:
    # The length keeps ("ab", "c") and ("a", "bc") apart.
    return hashlib.sha256(f"{len(username)}:{username}:{password}".encode("utf-8", "surrogateescape")).digest()
