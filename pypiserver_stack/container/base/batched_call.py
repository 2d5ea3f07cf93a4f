"""Calls that callers at the same time share, with no result older than its question."""

from __future__ import annotations

from collections.abc import Callable, Set
from threading import Lock
from typing import Generic, TypeVar

Result = TypeVar("Result")
Key = TypeVar("Key")


class BatchedCall(Generic[Key, Result]):
    """Runs `call` once at a time. Callers during a run share the next one, which has the keys of all of them.

    Each result began after its question. Keys are for greenlets: no other thread may ask at the same time.
    """

    def __init__(self, call: Callable[[Set[Key]], Result]) -> None:
        self._call = call
        self._turn = Lock()
        self._next = self._run()

    def __call__(self, *keys: Key) -> Result:
        run = self._next
        run.keys.update(keys)
        return run()

    def _run(self) -> _SingleRun[Key, Result]:
        return _SingleRun(self._begin)

    def _begin(self, keys: Set[Key]) -> Result:
        with self._turn:
            # From here on it is too late to join this run.
            self._next = self._run()
            return self._call(keys)


class _SingleRun(Generic[Key, Result]):
    """The first caller makes the call; the others wait for its outcome."""

    def __init__(self, call: Callable[[Set[Key]], Result]) -> None:
        self.keys: set[Key] = set()
        self._call = call
        self._lock = Lock()
        self._outcomes: list[Result | Exception] = []

    def __call__(self) -> Result:
        with self._lock:
            if not self._outcomes:
                try:
                    self._outcomes.append(self._call(self.keys))
                except Exception as error:  # not BaseException: where the first is killed, the next takes over
                    self._outcomes.append(error)
        (outcome,) = self._outcomes
        if isinstance(outcome, Exception):
            raise outcome
        return outcome
