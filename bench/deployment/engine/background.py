"""Work in a thread of its own, with the main thread free to be interrupted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_POLL_S = 0.01
# An evaluation ends when the local cloud has answered, but not while the program imports its libraries: 3 s on an idle
# machine, 25 s on one with ten times as much to do.
END_PATIENCE_S = 180.0


class Background(Generic[T]):
    """A function that runs in a thread.

    A signal can interrupt who waits for it, and leaves it running: ask the function to end, then `wait` again.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._outcome: T | None = None
        self._error: BaseException | None = None
        self._ended = False
        self._abandoned = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self, timeout_s: float = float("inf"), meanwhile: Callable[[], object] = lambda: None) -> bool:
        """Wait until the function has ended; False where it still runs after `timeout_s`.

        A function that has not been started never will be.

        Args:
            meanwhile: called again and again in this thread.
        """
        if self._thread.ident is None:
            self._abandoned = True
            return True
        deadline = time.monotonic() + timeout_s
        # `Thread.join` that a signal interrupts takes the thread for ended ever after (seen in Python 3.11), and the
        # locks of an `Event` may stay locked.
        while not self._ended:
            if time.monotonic() > deadline:
                return False
            meanwhile()
            time.sleep(_POLL_S)
        return True

    def result(self) -> T:
        """Wait for what the function returns, or raise what it raised."""
        self.wait()
        if self._error is not None:
            raise self._error
        return self._outcome  # type: ignore[return-value]  # set where there is no error

    def _run(self) -> None:
        try:
            if not self._abandoned:
                self._outcome = self._function()
        except BaseException as error:
            self._error = error
        finally:
            self._ended = True
