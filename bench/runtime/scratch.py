"""The run's own temporary folder, and what earlier runs that were killed left behind.

The folder's name holds its owner's process id and start time, so that a folder is claimed by making it, and one whose
owner is dead differs from one whose owner lives, even where the process id has been given out again. Every process
that a run starts carries `RUN_VARIABLE` in its environment: it is found by it whatever else was lost.

A watchdog, `python -m bench.runtime.scratch RUN_MARK`, removes both when the run is killed. Where that was killed too,
the next run does it. What else a run may leave behind belongs into `remove_run`, which all three ends of a run call.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from bench.common.failures import BenchError, DiskFullError, UsageError, is_disk_full
from bench.common.own_folder import refuse_if_not_own
from bench.common.run_mark import RUN_VARIABLE
from bench.deployment.local_processes.control_groups import marks_of_groups, remove_groups
from pypiserver_stack.common.text import valid_text

_IMPORT_ROOT = Path(__file__).parents[2]
_MARK = re.compile(r"(?P<pid>\d+)-(?P<started>\d+)-[0-9a-f]{8}")


def base_folder() -> Path:
    """Where the folders of all runs of this user lie."""
    return Path(tempfile.gettempdir()) / f"pypiserver-bench-{os.getuid()}"


def start_time(pid: int) -> int | None:
    """When a process started, in ticks since boot where the kernel says, else in seconds; None where there is none.

    Ticks since boot do not move when the clock is set, which a time of day would.
    """
    try:
        if psutil.LINUX:
            # The name of the command, in parentheses, may hold anything; the start time is the 20th field after it.
            return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
        return int(psutil.Process(pid).create_time())
    except (OSError, psutil.Error):
        return None


class Scratch:
    """The temporary folder of one run: make it first, `remove` it last.

    Making one marks this process's environment, so that whatever it starts from then on is known to belong to the run.
    """

    def __init__(self) -> None:
        """
        Raises:
            DiskFullError: there is no space left for it.
            UsageError: its path is not UTF-8, which Envoy does not take, or the folder of all runs is not this user's.
            BenchError: it cannot be made for another reason.
        """
        if valid_text(str(base_folder())) != str(base_folder()):
            raise UsageError(
                f"the folder for temporary files, {base_folder().parent}, is not UTF-8: set TMPDIR to another"
            )
        self.run_mark = f"{os.getpid()}-{start_time(os.getpid())}-{secrets.token_hex(4)}"
        os.environ[RUN_VARIABLE] = self.run_mark
        try:
            self.path = base_folder() / self.run_mark
            while not self.path.exists():
                with contextlib.suppress(FileExistsError):
                    base_folder().mkdir(mode=0o700)
                refuse_if_not_own(base_folder(), "TMPDIR")
                # Another run that has just ended may remove the base folder in between.
                with contextlib.suppress(FileNotFoundError):
                    self.path.mkdir(mode=0o700)
            self._watchdog = _start_watchdog(self.run_mark)
        except OSError as error:
            raise (DiskFullError(error.filename) if is_disk_full(error) else BenchError(str(error))) from error

    def remove(self) -> list[str]:
        """Remove what the run left behind; returns what would not go, in words."""
        leftovers = remove_run(self.run_mark)
        with self._watchdog as watchdog:
            watchdog.kill()
        return leftovers


def remove_run(run_mark: str) -> list[str]:
    """End every process of a run, remove its control groups and its folder; returns what would not go, in words."""
    leftovers = [f"process {pid}" for pid in end_processes(run_mark)] + remove_groups(run_mark)
    folder = base_folder() / run_mark
    try:
        refuse_if_not_own(base_folder(), "TMPDIR")
    except UsageError as error:
        return [*leftovers, f"folder {folder}, because {error}"]
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        base_folder().rmdir()  # refused while another run has its folder there
    if folder.exists():
        leftovers.append(f"folder {folder}")
    return leftovers


def remove_abandoned() -> list[str]:
    """Remove what runs left behind whose owners are dead; a run whose owner lives is not touched.

    Returns the marks of the runs that were cleaned up after.

    Raises:
        UsageError: the folder of all runs is not this user's.
    """
    refuse_if_not_own(base_folder(), "TMPDIR")
    folders = {folder.name for folder in base_folder().glob("*")}
    cleaned = []
    # Somebody may have deleted the folder of a run whose processes still live.
    for run_mark in sorted(folders | set(_marked_processes()) | marks_of_groups()):
        match = _MARK.fullmatch(run_mark)
        if match is None or start_time(int(match["pid"])) == int(match["started"]):
            continue
        remove_run(run_mark)
        cleaned.append(run_mark)
    return cleaned


def _start_watchdog(run_mark: str) -> subprocess.Popen[bytes]:
    """A process that outlives the run by as long as it takes to remove what the run left behind."""
    # The mark is left out: what ends the processes of a run must not end this one.
    inherited = {name: value for name, value in os.environ.items() if name != RUN_VARIABLE}
    return subprocess.Popen(
        [sys.executable, "-m", "bench.runtime.scratch", run_mark],
        cwd=_IMPORT_ROOT,
        env={**inherited, "TMPDIR": tempfile.gettempdir()},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # whatever reaches the run's group leaves it alone
    )


def processes_of(run_mark: str) -> list[psutil.Process]:
    """Every living process that carries the run's mark, other than this one."""
    return _marked_processes().get(run_mark, [])


def _marked_processes() -> dict[str, list[psutil.Process]]:
    """The living processes that carry the mark of a run, other than this one, by mark."""
    found: dict[str, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        try:
            run_mark = process.environ().get(RUN_VARIABLE)
            if run_mark and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.setdefault(run_mark, []).append(process)
        except (psutil.Error, OSError):
            continue  # ended meanwhile, or somebody else's
    return found


def end_processes(run_mark: str, patience_s: float = 5.0) -> list[int]:
    """Kill every process of a run and wait for the last to go; returns the ids of those that stay."""
    deadline = time.monotonic() + patience_s
    while remaining := processes_of(run_mark):
        if time.monotonic() > deadline:
            break
        for process in remaining:
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(remaining, timeout=0.2)
    return [process.pid for process in remaining]


def _watch(run_mark: str) -> None:
    """Wait until a run is gone, and remove what it left behind.

    Standard input is a pipe that nobody writes to, and whose other end only the run holds. The kernel closes that end
    when the run is gone, whatever ended it.
    """
    while os.read(sys.stdin.fileno(), 1):
        pass
    # A process that the run was just starting carries the mark only once it executes its own program.
    for _ in range(2):
        remove_run(run_mark)


if __name__ == "__main__":
    _watch(sys.argv[1])
