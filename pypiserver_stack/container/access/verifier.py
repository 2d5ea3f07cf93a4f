"""Check against slow hashes: one for each credential and task, which requests at once share."""

from __future__ import annotations

import hmac
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

from pypiserver_stack.container.access.attempts import Attempts, client_of
from pypiserver_stack.container.access.credentials import RetryLaterError, unambiguous
from pypiserver_stack.container.access.htpasswd import Users, matches
from pypiserver_stack.container.access.verified import VerifiedCredentials
from pypiserver_stack.container.base.offload import offload

MOST_WAITING = 32
"""Credentials whose hash runs or waits for its turn. The last of them waits 1.4 s for bcrypt of cost 10."""
WAIT_S = 5


class _Hash:
    """A hash that runs or waits for its turn, and the requests that wait for it."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.outcome: Future[bool] = Future()
        self.requests = [request]

    @property
    def is_wanted(self) -> bool:
        return not all("gunicorn.socket" in r and r["gunicorn.socket"].client_has_gone for r in self.requests)


class Verifier:
    """Checks credentials against the users' hashes.

    A verified credential is remembered as a keyed hash of name, stored hash and password: never the password, and
    nothing to look up once the user's line has changed or gone. Processes that are forked from this one share what is
    remembered. One slow hash runs at a time, in the threadpool, and requests that offer the same credential wait for
    the same one; where all of these have gone before its turn, it is left out. Only an attempt that starts a hash is
    counted.
    """

    def __init__(
        self,
        users: Callable[[], Users],
        attempts: Attempts,
        *,
        matches: Callable[[str, str], bool] = matches,
        verified: VerifiedCredentials | None = None,
    ) -> None:
        self._users = users
        self._attempts = attempts
        self._matches = matches
        self._key = os.urandom(32)
        self._verified = verified or VerifiedCredentials()
        self._running: dict[bytes, _Hash] = {}
        self._state = threading.Lock()
        self._hashing = threading.Lock()

    def check(self, username: str, password: str, request: Mapping[str, object]) -> bool:
        """
        Raises:
            RetryLaterError: 429, too many attempts of this client for this user; 503, the users are unknown, too many
                credentials wait for their hash, or the client has gone.
        """
        stored, known = self._users().stored(username)
        if stored is None:
            return False
        credential = hmac.digest(self._key, unambiguous(username, stored, password), "sha256")
        if known and credential in self._verified:  # a name that is gone may have borrowed its own old hash
            return True
        with self._state:
            running = self._running.get(credential)
            if running is not None:
                running.requests.append(request)
            else:
                client = client_of(request)
                if len(self._running) >= MOST_WAITING:
                    sentence = "too many new passwords are being checked"
                    raise RetryLaterError("503 Service Unavailable", sentence, WAIT_S)
                self._attempts.take(client, username)
                started = self._running[credential] = _Hash(request)
        if running is not None:
            return running.outcome.result()
        right = left_out = False
        try:
            with self._hashing:
                left_out = not started.is_wanted
                if left_out:
                    raise RetryLaterError("503 Service Unavailable", "the client has gone", WAIT_S)
                right = offload(self._matches, password, stored)
            # Looked up again: waiting for a turn can outlast a change of the file.
            right = right and self._users().stored(username) == (stored, True)
            started.outcome.set_result(right)
        except BaseException as error:
            started.outcome.set_exception(error)
            raise
        finally:
            with self._state:
                del self._running[credential]
                if right or left_out:
                    self._attempts.give_back(client, username)
                if right:
                    self._verified.add(credential)
        return right
