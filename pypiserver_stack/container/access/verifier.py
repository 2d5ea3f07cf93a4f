"""Cache of verified credentials: the slow hash runs once per credential and worker, and requests at once share it."""

from __future__ import annotations

import hmac
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from pypiserver_stack.container.access.attempts import Attempts, client_of
from pypiserver_stack.container.access.credentials import RetryLaterError, unambiguous
from pypiserver_stack.container.access.htpasswd import Users, matches
from pypiserver_stack.container.base.offload import offload

REMEMBERED = 10000
MOST_WAITING = 32
"""Credentials whose hash runs or waits for its turn. The last of them waits 1.4 s for bcrypt of cost 10."""
WAIT_S = 5


class Verifier:
    """Checks credentials against the users' hashes.

    A verified credential is remembered as a keyed hash of name, stored hash and password: never the password, and
    nothing to look up once the user's line has changed or gone. One slow hash runs at a time, in the threadpool, and
    requests that offer the same credential wait for the same one. Only an attempt that starts a hash is counted.
    """

    def __init__(
        self,
        users: Callable[[], Users],
        attempts: Attempts,
        *,
        matches: Callable[[str, str], bool] = matches,
        remembered: int = REMEMBERED,
    ) -> None:
        self._users = users
        self._attempts = attempts
        self._matches = matches
        self._remembered = remembered
        self._key = os.urandom(32)
        self._verified: OrderedDict[bytes, None] = OrderedDict()
        self._running: dict[bytes, Future[bool]] = {}
        self._state = threading.Lock()
        self._hashing = threading.Lock()

    def check(self, username: str, password: str, request: Mapping[str, object]) -> bool:
        """
        Raises:
            RetryLaterError: 429, too many attempts of this client for this user; 503, the users are unknown, or too
                many credentials wait for their hash.
        """
        stored, known = self._users().stored(username)
        if stored is None:
            return False
        credential = hmac.digest(self._key, unambiguous(username, stored, password), "sha256")
        with self._state:
            if known and credential in self._verified:  # a name that is gone may have borrowed its own old hash
                self._verified.move_to_end(credential)
                return True
            running = self._running.get(credential)
            if running is None:
                client = client_of(request)
                if len(self._running) >= MOST_WAITING:
                    sentence = "too many new passwords are being checked"
                    raise RetryLaterError("503 Service Unavailable", sentence, WAIT_S)
                self._attempts.take(client, username)
                started = self._running[credential] = Future()
        if running is not None:
            return running.result()
        right = False
        try:
            with self._hashing:
                right = offload(self._matches, password, stored)
            # Looked up again: waiting for a turn can outlast a change of the file.
            right = right and self._users().stored(username) == (stored, True)
            started.set_result(right)
        except BaseException as error:
            started.set_exception(error)
            raise
        finally:
            with self._state:
                del self._running[credential]
                if right:
                    self._attempts.give_back(client, username)
                    self._remember(credential)
        return right

    def _remember(self, credential: bytes) -> None:
        self._verified[credential] = None
        if len(self._verified) > self._remembered:
            self._verified.popitem(last=False)
