"""One call for all who ask at the same time, and no answer older than the question."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Shared(Generic[Result]):
    """Makes `call` once at a time. Who asks while it runs shares the next run: each answer began after its question."""

    def __init__(self, call: Callable[[], Result]) -> None:
        self._call = call
        self._turn = Lock()
        self._next: _Once[Result] = _Once(self._begin)

    def __call__(self) -> Result:
        """
        Raises:
            Exception: what `call` raised, to everybody who shared it.
        """
        return self._next()

    def _begin(self) -> Result:
        with self._turn:
            # From here on it is too late to join this run.
            self._next = _Once(self._begin)
            return self._call()


class _Once(Generic[Result]):
    """The first who asks makes the call; the others wait for its outcome."""

    def __init__(self, call: Callable[[], Result]) -> None:
        self._call = call
        self._lock = Lock()
        self._outcomes: list[Result | Exception] = []

    def __call__(self) -> Result:
        with self._lock:
            if not self._outcomes:
                try:
                    self._outcomes.append(self._call())
                except (
                    Exception
                ) as error:  # no more than that: if the caller is killed, the next one who waits takes over
                    self._outcomes.append(error)
        (outcome,) = self._outcomes
        if isinstance(outcome, Exception):
            raise outcome
        return outcome
