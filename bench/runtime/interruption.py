"""SIGINT, SIGTERM and SIGHUP: the first one ends what is being done, further ones cannot stop the way down."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from types import FrameType, TracebackType
from typing import Any, Self, TypeVar

import uvloop

T = TypeVar("T")

# The last is what a terminal or an ssh session sends when it goes.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Somebody wants the run to end. Not an Exception: nothing on the way may take it for a failure."""


class Interruptions:
    """Raises `Interrupted` in the main thread, at most once in its lifetime: after `arm` and before `shield`.

    That it is raised at most once is what makes the way down safe: between a `try` and the first statement of its
    `finally` there is always a moment at which a second exception would skip the rest.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._armed = False
        self._forgetful = False
        self._cancel: Callable[[], object] | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup wants it so
                self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def arm(self) -> None:
        """From here on a signal ends what is being done, as does one that came before."""
        self._armed = True
        self.check()

    def shield(self) -> None:
        """From here on signals are noted in `received` and change nothing else."""
        self._armed = False

    def check(self) -> None:
        """Raise what was received and came out nowhere: Python drops what a handler raises in a destructor."""
        if self.received is not None:
            raise Interrupted

    def forget(self) -> None:
        """What was received was how the work was meant to end, and so is whatever comes after it."""
        self.received = None
        self._forgetful = True

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end on a uvloop; a signal cancels it, and comes out as `Interrupted`."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            loop = runner.get_loop()
            task = loop.create_task(work)
            # An exception raised by a signal handler would strike whichever callback happens to run.
            self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
            try:
                return loop.run_until_complete(task)
            except asyncio.CancelledError:
                raise Interrupted from None
            finally:
                self._cancel = None

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._forgetful:
            return
        self.received = signal.Signals(number)
        if not self._armed:
            return
        self._armed = False
        if self._cancel is not None:
            self._cancel()
        else:
            raise Interrupted
