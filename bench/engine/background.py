"""Work in a thread of its own, with the main thread free to be interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Background(Generic[T]):
    """A function that runs in a thread.

    A signal can interrupt who waits for it, and leaves it running: ask the function to end, then `wait` again.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._outcome: T | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Start the function."""
        self._thread.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the function has ended, or was never started; False where it still runs after `timeout_s`."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def result(self) -> T:
        """Wait for what the function returns, or raise what it raised."""
        self.wait()
        if self._error is not None:
            raise self._error
        return self._outcome  # type: ignore[return-value]  # set where there is no error

    def _run(self) -> None:
        try:
            self._outcome = self._function()
        except BaseException as error:
            self._error = error
