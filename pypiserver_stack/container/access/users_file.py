"""The users' htpasswd file, which may change at any time and lies on a network file system."""

from __future__ import annotations

import errno
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from pypiserver_stack.container.access.credentials import RetryLaterError
from pypiserver_stack.container.access.htpasswd import Users, matches
from pypiserver_stack.container.base.offload import offload

LOOK_S = 3.0
"""Seconds between two looks at the file."""
SETTLE_S, SETTLE_READS = 0.1, 10
"""A changed file counts once it reads the same twice, this long apart: some tools rewrite it in place."""
KEEP_S = 30.0
"""For how many seconds the last good state counts when the file cannot be read."""
SIZE_LIMIT_BYTES = 4 * 2**20

_log = logging.getLogger("gunicorn.error")


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
            RetryLaterError: 503, the file could not be read for longer than `KEEP_S`.
        """
        if self._is_due():
            with self._looking:
                if self._is_due():
                    self._look()
        if self._clock() - self._good_at > KEEP_S:
            raise RetryLaterError(
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
