"""Users in an htpasswd file, which may change at any time and lies on a network file system."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import threading
import time
from pathlib import Path
from typing import Callable, Mapping, NamedTuple

from passlib.context import CryptContext
from passlib.registry import get_crypt_handler

from credentials import NotNowError
from offload import offload

LOOK_S = 3.0
"""Seconds between two looks at the file."""
SETTLE_S, SETTLE_READS = 0.1, 10
"""A changed file counts once it reads the same twice, this long apart: some tools rewrite it in place."""
KEEP_S = 30.0
"""For how many seconds the last good state counts when the file cannot be read."""
SIZE_LIMIT_BYTES = 4 * 2**20

# What passlib knows by its looks. Not its "plaintext": that takes any text, so that a hash of an unknown scheme would
# itself be the password.
_SCHEMES = (
    *("bcrypt", "bcrypt_sha256", "argon2", "scrypt", "pbkdf2_sha512", "pbkdf2_sha256", "pbkdf2_sha1", "phpass"),
    *("sha512_crypt", "sha256_crypt", "sha1_crypt", "apr_md5_crypt", "md5_crypt", "sun_md5_crypt", "des_crypt"),
    *("ldap_salted_sha512", "ldap_salted_sha256", "ldap_salted_sha1", "ldap_salted_md5", "ldap_sha1", "ldap_md5"),
)
# The C library's crypt() stops the whole process for as long as the hash takes; passlib's own code lets others go on.
_NOT_BY_THE_C_LIBRARY = ("sha512_crypt", "sha256_crypt", "sha1_crypt", "md5_crypt")

_log = logging.getLogger("gunicorn.error")


def _works_here(scheme: str) -> bool:
    handler = get_crypt_handler(scheme)
    try:
        if hasattr(handler, "set_backend"):
            handler.set_backend("builtin" if scheme in _NOT_BY_THE_C_LIBRARY else "any")
    except Exception:  # passlib and the libraries under it raise many kinds
        return False
    return True


_context = CryptContext([scheme for scheme in _SCHEMES if _works_here(scheme)])


def matches(password: str, stored: str) -> bool:
    """Whether the password has this hash. Slow on purpose."""
    try:
        return bool(_context.verify(password, stored))
    except ValueError:  # no password for this scheme: too long, or with a NUL
        return False


class Users(NamedTuple):
    """One state of the file: name to hash. The first line of a name counts, as in Apache."""

    hashes: dict[str, str]
    in_order: list[str]
    ignored_lines: list[int]
    key: bytes

    @classmethod
    def parse(cls, content: bytes) -> Users:
        """Ignores lines that are broken, repeat a name, or hold no hash that can be checked here."""
        hashes: dict[str, str] = {}
        ignored: list[int] = []
        for number, line in enumerate(content.split(b"\n"), 1):
            line = line.strip()
            if not line or line.startswith(b"#"):
                continue
            try:
                username, _, stored = line.decode().partition(":")
                _context.handler(_context.identify(stored, required=True)).from_string(stored)
            except Exception:  # passlib raises an IndexError for some, not only its own kinds
                username = ""
            if username and username not in hashes:
                hashes[username] = stored
            else:
                ignored.append(number)
        return cls(hashes, list(hashes.values()), ignored, hashlib.sha256(content).digest())

    def stored(self, username: str) -> tuple[str | None, bool]:
        """The hash to check a password against, and whether it is this user's.

        A name that is not in the file gets some user's hash, always the same one: it must not take less or more time
        than a name that is. The content of the file picks it, which is the same for all tasks and known to no client.
        """
        if username in self.hashes or not self.in_order:
            return self.hashes.get(username), True
        digest = hashlib.blake2b(username.encode("utf-8", "surrogatepass"), key=self.key, digest_size=8).digest()
        return self.in_order[int.from_bytes(digest, "big") % len(self.in_order)], False


class UserFile:
    """The file, looked at again when somebody asks and the last look is `LOOK_S` old; who asks meanwhile waits."""

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = path
        self._clock = clock
        self._pause = pause
        self._looking = threading.Lock()
        self._looked_at = self._good_at = -float("inf")
        self._failing = False
        self._content: bytes | None = None
        self._users = Users.parse(b"")

    def users(self) -> Users:
        """
        Raises:
            NotNowError: 503, the file could not be read for longer than `KEEP_S`.
        """
        if self._is_due():
            with self._looking:
                if self._is_due():
                    self._look()
        if self._clock() - self._good_at > KEEP_S:
            raise NotNowError(
                "503 Service Unavailable", "the list of users cannot be read at the moment", round(LOOK_S)
            )
        return self._users

    def check(self, username: str, password: str, request: Mapping[str, object]) -> bool:
        """The full hash, every time, while everything else waits."""
        stored, known = self.users().stored(username)
        return stored is not None and matches(password, stored) and known

    def _is_due(self) -> bool:
        return self._clock() - self._looked_at >= LOOK_S

    def _look(self) -> None:
        began = self._clock()
        try:
            content = self._settled()
        except OSError as error:
            if not self._failing:
                _log.error("%s: %s; what it held counts for %d s more", self._path, error.strerror, KEEP_S)
            self._failing = True
        else:
            if content != self._content or self._failing:
                self._content, self._users = content, offload(Users.parse, content)
                ignored = ", ".join(map(str, self._users.ignored_lines[:10])) or "none"
                _log.warning("%s: %d users; ignored lines: %s", self._path, len(self._users.hashes), ignored)
            self._good_at, self._failing = began, False
        # Not `began`: on a slow file system each of those who waited would look again.
        self._looked_at = self._clock()

    def _settled(self) -> bytes:
        content = offload(self._read)
        for _ in range(SETTLE_READS):
            if content == self._content:
                break
            self._pause(SETTLE_S)
            previous, content = content, offload(self._read)
            if content == previous:
                break
        return content

    def _read(self) -> bytes:
        # All of it: times and size may stay as they were. Opening makes an NFS client ask its server.
        with self._path.open("rb") as file:
            content = file.read(SIZE_LIMIT_BYTES + 1)
        if len(content) > SIZE_LIMIT_BYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        return content
