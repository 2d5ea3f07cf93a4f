"""Processes of the Pulumi CLI that work on a stack, found by the mark that they carry."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import psutil

from bench.deployment.aws.stacks.stack_folder import STACK_VARIABLE, StackFolder

_POLL_S = 0.2


def end_cli_of(folder: StackFolder, patience_s: float) -> None:
    """End the Pulumi CLI that works on a stack, and whose command is gone: interrupted, so that it notes what it made.

    Args:
        patience_s: after that it is killed.
    """
    deadline_s = time.monotonic() + patience_s
    for process in processes_on(folder):
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGINT)
    while remaining := processes_on(folder):
        if time.monotonic() > deadline_s:
            for process in remaining:
                with contextlib.suppress(psutil.Error):
                    process.kill()
        time.sleep(_POLL_S)


def processes_on(folder: StackFolder) -> list[psutil.Process]:
    """The living processes that work on a stack: the CLI, and the providers that it started."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            on = process.environ().get(STACK_VARIABLE)
            if on == str(folder.path) and process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                found.append(process)
    return found
