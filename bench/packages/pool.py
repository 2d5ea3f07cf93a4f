"""Worker processes that build wheels in parallel, and their end.

Plain processes rather than `concurrent.futures`: the workers of a pool there outlive a parent that is killed.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.common.cores import usable_cores
from bench.common.failures import BenchError, DiskFullError
from bench.packages.cache import BuildStoppedError

if TYPE_CHECKING:
    from bench.packages.worker import Result, WheelJob  # imports what only a worker needs

_IMPORT_ROOT = Path(__file__).parents[2]
_FAILED = "the test packages could not be built: "


def build_wheels(
    jobs: Sequence[WheelJob], folder: Path, stop: threading.Event, on_built: Callable[[int], None]
) -> dict[str, str]:
    """Build all of `jobs` into `folder/wheels`; returns the SHA-256 digest (hex) of each by file name.

    To be called where no signal handler raises, that is in any thread but the main one: then every worker has ended
    when it returns or raises.

    Args:
        on_built: called after each wheel with how many there are.

    Raises:
        DiskFullError: there is no space left for the wheels.
        BenchError: a worker failed; the message says why.
        BuildStoppedError: `stop` was set.
    """
    (folder / "wheels").mkdir()
    by_size = sorted(jobs, key=lambda job: job["data_bytes"])
    count = min(usable_cores(), len(jobs))
    digests: dict[str, str] = {}
    results_fd, worker_fd = os.pipe()
    workers: list[subprocess.Popen[bytes]] = []
    try:
        try:
            for index in range(count):
                workers.append(_start_worker(by_size[index::count], folder, index, worker_fd))
        finally:
            os.close(worker_fd)  # the pipe ends when the last worker does
        for result in _results(results_fd, stop):
            if "error" in result:
                raise DiskFullError(folder.parent) if result["disk_full"] else BenchError(_FAILED + result["error"])
            digests[result["filename"]] = result["sha256"]
            on_built(len(digests))
        for index, worker in enumerate(workers):
            if status := worker.wait():
                *_, last_line = ["", *_log_path(folder, index).read_text(errors="replace").splitlines()]
                raise BenchError(f"{_FAILED}a worker process ended with status {status}. {last_line}")
    finally:
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.wait()
        os.close(results_fd)
    return digests


def _start_worker(jobs: Sequence[WheelJob], folder: Path, index: int, worker_fd: int) -> subprocess.Popen[bytes]:
    jobs_path = folder / f"worker-{index}.json"
    jobs_path.write_text(json.dumps(jobs))
    with _log_path(folder, index).open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "bench.packages.worker", str(jobs_path), str(worker_fd)],
            cwd=_IMPORT_ROOT,
            env={**os.environ, "TMPDIR": str(folder)},  # what a killed worker leaves goes with the folder
            pass_fds=(worker_fd,),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,  # a terminal's Ctrl-C is for us alone
        )


def _log_path(folder: Path, index: int) -> Path:
    return folder / f"worker-{index}.log"


def _results(results_fd: int, stop: threading.Event) -> Iterator[Result]:
    """Reports of the workers, until the last of them has ended."""
    poll = select.poll()
    poll.register(results_fd, select.POLLIN | select.POLLHUP)
    unfinished = b""
    while not stop.is_set():
        if poll.poll(100):
            chunk = os.read(results_fd, 65536)
            if not chunk:
                return
            *lines, unfinished = (unfinished + chunk).split(b"\n")
            yield from map(json.loads, lines)
    raise BuildStoppedError
