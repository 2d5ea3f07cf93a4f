"""Calls that callers at the same time share, with no result older than its question."""

from __future__ import annotations

from collections.abc import Callable, Set
from threading import Lock
from typing import Generic, TypeVar

Result = TypeVar("Result")
Key = TypeVar("Key")


class CoalescedCall(Generic[Result]):
    """Runs `call` once at a time. Callers during a run share the next one: each result began after its question."""

    def __init__(self, call: Callable[[], Result]) -> None:
        self._call = call
        self._turn = Lock()
        self._next: _SingleRun[Result] = _SingleRun(self._begin)

    def __call__(self) -> Result:
        return self._next()

    def _begin(self) -> Result:
        with self._turn:
            # From here on it is too late to join this run.
            self._next = _SingleRun(self._begin)
            return self._call()


class BatchedCall(Generic[Key]):
    """Runs `call` once at a time, with the keys of all callers that share the run; for greenlets, not for threads."""

    def __init__(self, call: Callable[[Set[Key]], None]) -> None:
        self._call = call
        self._waiting: set[Key] = set()
        self._shared = CoalescedCall(self._begin)

    def __call__(self, *keys: Key) -> None:
        # The run that is joined has not begun: it takes these too.
        self._waiting.update(keys)
        self._shared()

    def _begin(self) -> None:
        keys, self._waiting = self._waiting, set()
        try:
            self._call(keys)
        except Exception:
            raise
        except BaseException:  # the caller was killed, and the next one makes the call
            self._waiting |= keys
            raise


class _SingleRun(Generic[Result]):
    """The first caller makes the call; the others wait for its outcome."""

    def __init__(self, call: Callable[[], Result]) -> None:
        self._call = call
        self._lock = Lock()
        self._outcomes: list[Result | Exception] = []

    def __call__(self) -> Result:
        with self._lock:
            if not self._outcomes:
                try:
                    self._outcomes.append(self._call())
                except Exception as error:  # not BaseException: where the first is killed, the next takes over
                    self._outcomes.append(error)
        (outcome,) = self._outcomes
        if isinstance(outcome, Exception):
            raise outcome
        return outcome
