"""Progress: lines that tests and logs can follow, one moving line on a terminal, and nothing that outlives an error."""

from __future__ import annotations

import io
import logging
import os
import pty
import re
import subprocess
import sys
import termios
import threading
from contextlib import suppress
from typing import TextIO

import pytest

from bench.runtime.progress import LiveProgress, PlainProgress, Progress, open_progress

HARMLESS_CODES = re.compile(r"\x1b\[(2K|[0-9;]*m)")
"""Erasing a line and setting a colour: what leaves a terminal as it was."""


class Terminal:
    """A pseudo-terminal, and all that was written to it."""

    def __init__(self, columns: int = 80, encoding: str = "utf-8") -> None:
        self._leader, follower = pty.openpty()
        termios.tcsetwinsize(follower, (24, columns))
        self.stream: TextIO = os.fdopen(follower, "w", encoding=encoding)
        self._chunks: list[bytes] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        # Reading fails once no process holds the other end.
        with suppress(OSError):
            while chunk := os.read(self._leader, 65536):
                self._chunks.append(chunk)

    def close(self) -> str:
        self.stream.close()
        self._reader.join()
        os.close(self._leader)
        return b"".join(self._chunks).decode()


def a_run(progress: Progress) -> None:
    with progress:
        progress.step("evaluate")
        progress.note("63 resources")
        progress.step("load")
        progress.progress(510, 1530)
        progress.warn("the load generator is near its limit")
        progress.step("down")


# Interrupts a hundred endless runs, each after a little more CPU time, wherever the main thread then is; exits with 0
# when each of them ended. It has a process of its own because Python drops what is raised within a callback of its
# garbage collector, and the libraries of these tests install one.
INTERRUPTIONS = """
import gc, itertools, signal, sys
gc.disable()  # Python drops an exception of a handler that strikes while a weak reference is cleared
import bench.runtime.progress

class InterruptedRunError(Exception):
    pass

def interrupt(number, frame):
    arrived.append(number)
    raise InterruptedRunError

def endless_run(progress):
    with progress:
        for number in itertools.takewhile(lambda _: not arrived, itertools.count()):
            progress.step(f"step {number}")
            progress.progress(number, number + 1)
            progress.note("note")

arrived = []
signal.signal(signal.SIGPROF, interrupt)
for moment in range(100):
    try:
        signal.setitimer(signal.ITIMER_PROF, 0.0001 + moment * 0.0002)
        endless_run(getattr(bench.runtime.progress, sys.argv[1])(sys.stderr))
        sys.exit("swallowed")
    except InterruptedRunError:
        arrived.clear()
"""


def test_lines_begin_with_their_step() -> None:
    stream = io.StringIO()
    a_run(open_progress(stream, quiet=False))

    assert stream.getvalue().splitlines() == [
        "evaluate",
        "evaluate: 63 resources",
        "load",
        "load: Warning: the load generator is near its limit",
        "down",
    ]


def test_a_line_can_be_read_as_soon_as_its_step_begins() -> None:
    """Through a pipe, which Python buffers by the block; the process then waits for an answer that needs the line."""
    program = (
        "import sys\n"
        "from bench.runtime.progress import open_progress\n"
        "with open_progress(sys.stderr, quiet=False) as progress:\n"
        "    progress.step('load')\n"
        "    sys.stdin.readline()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        assert process.stderr.readline() == "load\n"
        process.stdin.write("\n")
    assert process.returncode == 0


def test_a_long_step_says_how_far_it_is_twice_a_minute() -> None:
    stream, now_s = io.StringIO(), 0.0
    progress = PlainProgress(stream, clock=lambda: now_s)
    progress.step("load")
    for second in range(1, 71):
        now_s = float(second)
        progress.progress(second * 100, 24000)

    assert stream.getvalue().splitlines() == ["load", "load: 3,000 of 24,000", "load: 6,000 of 24,000"]


def test_a_note_is_one_line_whatever_it_quotes() -> None:
    stream = io.StringIO()
    progress = PlainProgress(stream)
    progress.step("publish")
    progress.note("the index said:\r\n\x1b[2Jpwned")

    assert stream.getvalue().splitlines()[1] == "publish: the index said:   [2Jpwned"


def test_quiet_says_nothing() -> None:
    stream = io.StringIO()
    a_run(open_progress(stream, quiet=True))

    assert stream.getvalue() == ""


def test_a_terminal_shows_the_step_at_hand_and_keeps_those_that_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    progress = open_progress(terminal.stream, quiet=False)
    assert isinstance(progress, LiveProgress)
    a_run(progress)
    shown = terminal.close()

    for text in ("evaluate ...", "63 resources", "load ...", "Warning: the load generator", "down ...", "done in"):
        assert text in shown


def shown_lines(written: str) -> list[str]:
    """The lines that a terminal shows in the end: what was erased is gone."""
    lines = written.replace("\r\n", "\n").split("\n")
    return [re.sub(r"\x1b\[[0-9;]*m", "", line.rpartition("\x1b[2K")[2]) for line in lines]


def test_notes_stand_below_their_step() -> None:
    terminal = Terminal()
    with LiveProgress(terminal.stream, clock=lambda: 0.0) as progress:
        progress.note("something of no step")
        progress.step("evaluate")
        progress.note("63 resources")
        logging.getLogger("bench.packages.factory").warning("the package cache is damaged")
        progress.step("load")

    assert shown_lines(terminal.close()) == [
        "  something of no step",
        "evaluate done in 0.0 s",
        "  63 resources",
        "  Warning: the package cache is damaged",
        "load done in 0.0 s",
        "",
    ]


def test_between_two_steps_others_may_write() -> None:
    terminal = Terminal()
    with LiveProgress(terminal.stream, clock=lambda: 0.0) as progress:
        progress.step("load")
        progress.end_step()
        terminal.stream.write("passed\n")
        progress.step("keep")

    assert shown_lines(terminal.close()) == ["load done in 0.0 s", "passed", "keep done in 0.0 s", ""]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_utf_8_gets_letters_that_it_knows(encoding: str) -> None:
    terminal, now_s = Terminal(encoding=encoding), 0.0
    terminal.stream.reconfigure(errors="backslashreplace")  # type: ignore[attr-defined]  # as every program does
    with LiveProgress(terminal.stream, clock=lambda: now_s) as progress:
        for step in ("load", "a step whose name is longer than the line has room for, and by a good deal at that"):
            progress.step(step)
            now_s += 1
            progress.progress(510, 1530)
    shown = terminal.close()

    assert "510 of 1,530" in shown
    assert "\\u" not in shown


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    terminal = Terminal()
    a_run(open_progress(terminal.stream, quiet=False))

    assert "\x1b" not in terminal.close()


def test_how_long_is_left_follows_from_what_is_done() -> None:
    terminal, now_s = Terminal(), 0.0
    with LiveProgress(terminal.stream, clock=lambda: now_s) as progress:
        progress.step("load")
        now_s = 10.0
        progress.progress(25, 100)

    assert "25 of 100 30 s left" in terminal.close()


def test_an_error_ends_the_moving_line_and_leaves_the_terminal_as_it_was() -> None:
    terminal = Terminal()

    def a_failing_run() -> None:
        with LiveProgress(terminal.stream) as progress:
            progress.step("load")
            progress.progress(1, 3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        a_failing_run()
    shown = HARMLESS_CODES.sub("", terminal.close())

    assert "\x1b" not in shown
    assert re.search(r"\rload stopped after \d+\.\d s\r\n$", shown)


def test_a_narrow_terminal_still_gets_one_line() -> None:
    terminal, now_s = Terminal(columns=30), 0.0
    with LiveProgress(terminal.stream, clock=lambda: now_s) as progress:
        progress.step("load")
        now_s = 1.0
        progress.progress(510, 1530)
    moving = [line for line in re.split(r"[\r\n]+", HARMLESS_CODES.sub("", terminal.close())) if "\u2501" in line]

    assert moving
    assert all(len(line) <= 30 for line in moving)


@pytest.mark.parametrize("kind", ["PlainProgress", "LiveProgress"])
def test_no_exception_of_a_signal_handler_is_swallowed(kind: str) -> None:
    terminal = Terminal()
    finished = subprocess.run([sys.executable, "-c", INTERRUPTIONS, kind], stderr=terminal.stream, check=False)
    shown = terminal.close()

    assert finished.returncode == 0, shown[-2000:]
    assert "\x1b" not in HARMLESS_CODES.sub("", shown)


def test_losing_the_reader_of_a_log_does_not_fail_the_run() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    a_run(PlainProgress(stream))
    with suppress(BrokenPipeError):
        stream.close()


def test_losing_the_terminal_does_not_fail_the_run() -> None:
    leader, follower = pty.openpty()
    os.close(leader)
    with os.fdopen(follower, "w") as stream:
        a_run(LiveProgress(stream))
