"""Clients of every role, with the passwords that they have at a moment."""

from __future__ import annotations

import itertools
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bench.index.target import Target
from tests.bench.deployment.engine.rotated import USERS

UPLOADERS = ("pypiserver", "pypiserver-upload")


class TurnTaking(Target):
    """An index whose clients take turns: each request is another one's."""

    def hold(self, credentials: Iterable[tuple[str, str]]) -> None:
        """From now on the clients have these."""
        each = itertools.cycle([Target(self.url, *credential).authorization for credential in credentials])
        object.__setattr__(self, "_each", each)

    @property
    def authorization(self) -> str:
        each: Iterator[str] = vars(self)["_each"]
        return next(each)


class Clients:
    """Every client that there may be: any user reads, and those who may upload."""

    def __init__(self, url: str) -> None:
        self.reading, self.uploading = TurnTaking(url), TurnTaking(url)

    def hold(self, *passwords: Mapping[str, str]) -> None:
        """From now on somebody has each of these, user to password."""
        held = [credential for generation in passwords for credential in generation.items()]
        self.reading.hold(held)
        self.uploading.hold(credential for credential in held if credential[0] in UPLOADERS)


def published(outputs: Mapping[str, Any]) -> dict[str, str]:
    """The password of each user that a stack exports."""
    return {user: outputs[output] for user, output in USERS.items() if output in outputs}


def status(url: str, user: str, password: str) -> int:
    """Of a listing that this client asks for."""
    request = urllib.request.Request(
        f"{url}/simple/", headers={"Authorization": Target(url, user, password).authorization}
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
