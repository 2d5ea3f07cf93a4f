"""Children of the local cloud: started apart from the terminal, stopped as a group."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.common.run_mark import RUN_VARIABLE

_KILL_PATIENCE_S = 5.0


@dataclass(frozen=True)
class Child:
    """A process that leads a session of its own, and where its output goes."""

    name: str
    popen: subprocess.Popen[bytes]
    log_path: Path

    @property
    def pid(self) -> int:
        """Its process id, which is its group's too."""
        return self.popen.pid

    @property
    def exit_status(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        return self.popen.poll()

    def log_end(self) -> str:
        """The end of its log, on one line; `nothing` where there is none."""
        with contextlib.suppress(OSError):
            text = self.log_path.read_text("utf-8", errors="replace")
            return " / ".join(line.strip() for line in text.splitlines()[-3:] if line.strip()) or "nothing"
        return "nothing"


def spawn(
    name: str,
    argv: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    *,
    working_folder: Path | None = None,
    listener: socket.socket | None = None,
) -> Child:
    """Start a process in its own session, so that a terminal's Ctrl-C reaches only us.

    Args:
        environment: all that it gets, but for the mark of the run.
        folder: its log is `folder/log`.
        working_folder: its working directory; `folder` where it is not given.
        listener: a socket that it inherits under the same number.
    """
    log_path = folder / "log"
    with log_path.open("wb") as log:
        popen = subprocess.Popen(
            argv,
            env={**environment, RUN_VARIABLE: os.environ[RUN_VARIABLE]},
            cwd=working_folder or folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=() if listener is None else (listener.fileno(),),
        )
    return Child(name, popen, log_path)


def stop(children: Sequence[Child], patience_s: float) -> None:
    """Ask all to stop, wait, and kill the groups of those that have not."""
    for child in children:
        _signal_group(child, signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    for child in children:
        try:
            child.popen.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _signal_group(child, signal.SIGKILL)
            # One that the kernel will not let go of is among the leftovers of the run.
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.popen.wait(_KILL_PATIENCE_S)


def _signal_group(child: Child, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)
