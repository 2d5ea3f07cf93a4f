"""A Dask scheduler and workers, each a process of its own, started by the commands that the documentation names."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import uvloop

from bench.load.generators.dask_cluster import scheduler_at
from tests.bench.command_line import alive, command_line

_DASK = Path(sysconfig.get_path("scripts")) / "dask"
GENERATOR = "bench.load.generators.worker"


@dataclass(frozen=True)
class DaskWorker:
    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None


@dataclass
class DaskProcesses:
    """A scheduler, and as many workers as a test has asked for."""

    folder: Path
    scheduler: subprocess.Popen[bytes]
    address: str = ""
    workers: dict[str, DaskWorker] = field(default_factory=dict)
    """By address."""

    def have_workers(self, number: int) -> None:
        """Start workers until there are so many, in place of those that have ended."""
        self.workers = {address: worker for address, worker in self.workers.items() if worker.is_running}
        self.add_workers(number - len(self.workers))

    def add_workers(
        self, number: int, *options: str, prefix: Sequence[str] = (), environment: Mapping[str, str] | None = None
    ) -> None:
        """Start workers, and wait until the scheduler knows them, and no others."""
        folders = [self.folder / f"worker-{time.monotonic_ns()}" for _ in range(number)]
        words = ("worker", self.address, "--nthreads", "1", *(options or ("--no-nanny",)), "--name")
        started = [
            DaskWorker(_start(folder, (*words, folder.name), environment or {}, prefix), folder) for folder in folders
        ]
        expected = {folder.name for folder in folders}
        while not expected <= (known := self._addresses_by_name()).keys() or len(known) != len(self.workers) + number:
            assert all(worker.is_running for worker in started), self.logs()
            time.sleep(0.02)
        self.workers |= {known[folder.name]: worker for folder, worker in zip(folders, started, strict=True)}

    def end_workers(self, *addresses: str) -> None:
        """End these workers, and wait until the scheduler has forgotten them."""
        _end([self.workers.pop(address).process for address in addresses])
        while set(addresses) & set(self._addresses_by_name().values()):
            time.sleep(0.02)

    def generators(self) -> list[psutil.Process]:
        """The processes that send load beside the workers."""
        children = [
            child
            for worker in self.workers.values()
            if worker.is_running
            for child in psutil.Process(worker.process.pid).children(recursive=True)
        ]
        return [child for child in children if GENERATOR in command_line(child) and alive(child)]

    def wait_until_idle(self) -> None:
        """Wait until all of it runs, does nothing, and holds nothing of a load."""
        while occupied := self._occupations():
            assert all(worker.is_running for worker in self.workers.values()), self.logs()
            print(occupied)
            time.sleep(0.02)

    def _occupations(self) -> list[object]:
        tasks, workers = self._of_scheduler(
            lambda dask_scheduler: (list(dask_scheduler.tasks), list(dask_scheduler.workers))
        )
        shares = [share for worker in self.workers.values() for share in worker.folder.rglob("pypiserver-bench-*")]
        return [*tasks, *shares, *self.generators(), *(set(workers) ^ set(self.workers))]

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*/log")))

    def _addresses_by_name(self) -> dict[str, str]:
        addresses: dict[str, str] = self._of_scheduler(
            lambda dask_scheduler: {str(worker.name): address for address, worker in dask_scheduler.workers.items()}
        )
        return addresses

    def _of_scheduler(self, question: Callable[[Any], Any]) -> Any:
        async def ask() -> Any:
            async with scheduler_at(self.address) as client:
                return await client.run_on_scheduler(question)

        return uvloop.run(ask())


@contextmanager
def dask_processes(folder: Path) -> Iterator[DaskProcesses]:
    """A scheduler without workers; all that was started ends with it."""
    scheduler_file = folder / "scheduler.json"
    words = ("scheduler", "--port", "0", "--scheduler-file", str(scheduler_file))
    processes = DaskProcesses(folder, _start(folder / "scheduler", words, {}))
    try:
        while not processes.address:
            assert processes.scheduler.poll() is None, processes.logs()
            try:
                processes.address = json.loads(scheduler_file.read_text())["address"]
            except (OSError, ValueError):
                time.sleep(0.02)
        yield processes
    finally:
        _end([*(worker.process for worker in processes.workers.values()), processes.scheduler])


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """End them with what they have started. Dask's own way down hangs where scheduler and workers are told at once."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _start(
    folder: Path, words: Sequence[str], environment: Mapping[str, str], prefix: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    folder.mkdir()
    command: list[str | Path] = [*prefix, sys.executable, _DASK, *words, "--host", "127.0.0.1", "--no-dashboard"]
    if words[0] == "worker":
        command += ["--local-directory", str(folder)]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
