"""Progress of a run for people: the step, how far it is, and how long is left.

Progress goes to stderr; the result goes to stdout (bench.report.formats.terminal). Losing the terminal is no reason to
fail a run, so errors of writing are dropped; no other exception is, least of all one that a signal handler raises.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from pypiserver_stack.common.text import printable

_PACKAGE = __name__.partition(".")[0]
_ERASE_LINE = "\r\x1b[2K"
_USUAL_WIDTH = 80


def open_progress(stream: TextIO, *, quiet: bool) -> Progress:
    """The reporter that suits `stream`: live on a terminal, lines elsewhere, none where the user wants quiet."""
    if quiet:
        return Progress()
    if stream.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown"):
        return LiveProgress(stream)
    return PlainProgress(stream)


class Progress:
    """Says nothing: all that `--quiet` shows of a run. To be used from one thread, as a context manager."""

    def __enter__(self) -> Self:
        self._log = _Log(self)
        logging.getLogger(_PACKAGE).addHandler(self._log)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        logging.getLogger(_PACKAGE).removeHandler(self._log)

    def step(self, name: str) -> None:
        """The run has come to this step; the one before it has ended."""

    def end_step(self) -> None:
        """The step has ended and none follows yet: until one does, the terminal is free for others to write to."""

    def progress(self, done: float, total: float) -> None:
        """So much of the step is done. Cheap enough to be called for every request."""

    def note(self, text: str) -> None:
        """Something worth knowing about the step."""

    def warn(self, text: str) -> None:
        """Something that makes the result worth less."""


class _Log(logging.Handler):
    """Shows warnings that the benchmark logs where everything else is shown."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.WARNING)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        self._progress.warn(record.getMessage())


class PlainProgress(Progress):
    """Lines for a log: each begins with the name of its step, and is there as soon as it is written.

    A step that takes long says how far it is twice a minute, so that nobody takes it for dead.
    """

    _REPEAT_S = 30.0

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._step = ""
        self._last_line_s = clock()

    def step(self, name: str) -> None:
        self._step = name
        self._write(name)

    def progress(self, done: float, total: float) -> None:
        if self._clock() - self._last_line_s >= self._REPEAT_S:
            self._write(f"{self._step}: {done:,.0f} of {total:,.0f}")

    def note(self, text: str) -> None:
        self._write(f"{self._step}: {text}")

    def warn(self, text: str) -> None:
        self._write(f"{self._step}: Warning: {text}")

    def _write(self, line: str) -> None:
        with contextlib.suppress(OSError):
            self._stream.write(printable(line) + "\n")
            self._stream.flush()
        self._last_line_s = self._clock()


class LiveProgress(Progress):
    """One moving line for the step at hand, below a line for each step that has ended and what is to be noted of it.

    Each change is one write that erases the moving line and draws it again. Between two writes there is nothing to put
    back: no hidden cursor, no thread that draws, no half-entered buffer. So it does not matter where a signal arrives.
    """

    _REDRAW_S = 0.25

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._step = ""
        self._started_s = self._drawn_s = clock()
        self._done = self._total = 0.0
        self._notes: list[Text] = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end_step("done in" if kind is None else "stopped after")
        super().__exit__(kind, error, traceback)

    def step(self, name: str) -> None:
        self.end_step()
        self._done = self._total = 0.0
        self._started_s = self._clock()
        self._step = name
        self._draw()

    def end_step(self) -> None:
        self._end_step("done in")

    def progress(self, done: float, total: float) -> None:
        self._done, self._total = done, total
        if self._clock() - self._drawn_s >= self._REDRAW_S:
            self._draw()

    def note(self, text: str) -> None:
        self._below_step(Text(f"  {printable(text)}", style="dim"))

    def warn(self, text: str) -> None:
        self._below_step(Text(f"  Warning: {printable(text)}", style="yellow"))

    def _below_step(self, note: Text) -> None:
        """Keep a note until there is a line of its step that it can stand below."""
        if self._step:
            self._notes.append(note)
        else:
            self._draw([note])

    def _end_step(self, how: str) -> None:
        ended, self._step = self._step, ""
        notes, self._notes = self._notes, []
        if ended:
            took = f" {how} {self._clock() - self._started_s:.1f} s"
            self._draw([Text.assemble(ended, (took, "dim")), *notes])

    def _draw(self, above: Sequence[Text] = ()) -> None:
        """Draw the moving line again, and what is to stay on the terminal above it."""
        with contextlib.suppress(OSError):
            self._stream.write(_ERASE_LINE + self._rendered(above))
            self._stream.flush()
        self._drawn_s = self._clock()

    def _rendered(self, above: Sequence[Text]) -> str:
        width = os.get_terminal_size(self._stream.fileno()).columns or _USUAL_WIDTH
        # A console of its own: one that lasted would be left half-way by an exception while it renders.
        console = Console(file=self._stream, width=width, force_terminal=True)
        with console.capture() as text:
            for line in above:
                console.print(line, soft_wrap=True)
            if self._step:
                console.print(self._moving_line())
        return text.get().removesuffix("\n") if self._step else text.get()

    def _moving_line(self) -> Table:
        done, total = self._done, self._total
        line = Table.grid(*(Column(no_wrap=True, overflow="crop") for _ in range(4)), padding=(0, 1))
        if total <= 0:
            line.add_row(f"{self._step} ...")
            return line
        left_s = (self._clock() - self._started_s) * (total - done) / done if done > 0 else None
        line.add_row(
            self._step,
            ProgressBar(total=total, completed=done, width=30),
            f"{done:,.0f} of {total:,.0f}",
            "" if left_s is None else f"{left_s:.0f} s left",
        )
        return line
