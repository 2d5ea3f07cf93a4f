"""Watchdog of a stack on AWS: takes it down when the command that makes it is killed.

`python -m bench.deployment.aws.stacks.watchdog FOLDER` waits at a pipe whose other end the command holds. One byte
tells it to stand down. The end of the pipe without it means that the command is gone: then the watchdog lets the Pulumi
CLI end in its own way, and removes the stack as `bench down` does. It writes to `watchdog.log` in the results folder.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from bench.common.run_mark import RUN_VARIABLE
from bench.deployment.aws.stacks.stack_folder import StackFolder

_STAND_DOWN = b"."
_IMPORT_ROOT = Path(__file__).parents[4]


@dataclass(frozen=True)
class Watchdog:
    """The process, as the command that it watches has it."""

    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, folder: StackFolder, log: IO[bytes]) -> Watchdog:
        """Start it before the first resource is made.

        Args:
            log: where it writes; closed here.
        """
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bench.deployment.aws.stacks.watchdog", str(folder.path)],
                cwd=_IMPORT_ROOT,
                # What ends the processes of a killed run must not end this one.
                env={name: value for name, value in os.environ.items() if name != RUN_VARIABLE},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a terminal that goes takes its session with it
            )
        return cls(process)

    def stand_down(self) -> None:
        """Tell it that nothing is left for it to do."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.write(_STAND_DOWN)
            self.process.stdin.close()
        self.process.wait()


def _watch(folder: StackFolder, pipe: IO[bytes]) -> None:
    if pipe.read(1) == _STAND_DOWN:
        _log("stood down: the command has ended by itself")
        return
    _log(f"the command that made the stack {folder.path.name} was killed; it is taken down")
    from bench.deployment.aws.stacks.removal import remove_stack

    try:
        leftovers = remove_stack(folder, _log)
    except Exception as error:
        leftovers = (f"{type(error).__name__}: {error}",)
    for leftover in leftovers:
        _log(f"left behind: {leftover}")
    _log("done" if not leftovers else "not done")


def _log(text: str) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}", flush=True)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    _watch(StackFolder(Path(sys.argv[1])), sys.stdin.buffer)
