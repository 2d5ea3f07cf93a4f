"""`python -m bench` as a person runs it, in folders of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

from bench.cli import cli
from bench.common.run_mark import RUN_VARIABLE
from bench.deployment.local_processes.control_groups import marks_of_groups
from bench.runtime.interruption import SIGNALS
from pypiserver_stack.common.entry_point import UserError, run

ROOT = Path(__file__).parents[2]


@dataclass
class Bench:
    """A run in folders of its own, so that whatever it leaves can be seen.

    How long it may take is for pytest's timeout to say: a loaded machine makes a few seconds a minute.
    """

    folder: Path
    environment: dict[str, str]
    lines: list[str] = field(default_factory=list)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def start(self, *options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "bench", *options]
        if not {"packages", "status"} & set(options[:1]):
            command += ["--results", str(self.results)]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def run(self, *options: str) -> tuple[int, str, str]:
        process = self.start(*options)
        output, errors = process.communicate()
        return process.returncode, output, errors

    def follow_to(self, process: subprocess.Popen[str], beginning: str, stream: str = "stderr") -> str:
        """Read its lines up to the first that begins so."""
        lines: Iterator[str] = getattr(process, stream)
        for line in lines:
            self.lines.append(line)
            if line.startswith(beginning):
                return line
        raise AssertionError(f"it ended before {beginning!r}: {self.lines}")

    def report(self) -> dict[str, Any]:
        (path,) = self.results.glob("*/report.json")
        report: dict[str, Any] = json.loads(path.read_text())
        return report

    def remains(self, pid: int) -> list[str]:
        """Whatever a run that has ended left: processes and control groups of its mark, temporary files, open ports."""
        found = [str(path) for path in Path(self.environment["TMPDIR"]).iterdir()]
        found += [f"control groups of {mark}" for mark in marks_of_groups() if mark.startswith(f"{pid}-")]
        for process in psutil.process_iter():
            try:
                if process.environ().get(RUN_VARIABLE, "").startswith(f"{pid}-") and process.status() != "zombie":
                    found.append(" ".join(process.cmdline()))
            except psutil.Error:
                continue
        for line in self.lines:
            if "http://127.0.0.1:" in line:
                port = int(line.split("http://127.0.0.1:")[1].split("/")[0].split()[0])
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        found.append(f"port {port}")
        return found


@dataclass
class InProcessBench(Bench):
    """The same in the process of the tests, for all that another process would not prove."""

    def run(self, *options: str) -> tuple[int, str, str]:
        output, errors = io.StringIO(), io.StringIO()
        with (
            patch.dict(os.environ, self.environment, clear=True),
            patch.object(sys, "argv", ["bench", *options, "--results", str(self.results)]),
            patch.object(tempfile, "tempdir", self.environment["TMPDIR"]),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(errors),
            _signal_handlers_kept(),
        ):
            try:
                run(cli)
                status = 0
            except UserError as error:
                status = error.exit_code
                errors.write(f"Error: {error}\n")
            except SystemExit as ended:
                status = int(ended.code or 0)
        assert self.remains(os.getpid()) == []
        return status, output.getvalue(), errors.getvalue()


@contextlib.contextmanager
def _signal_handlers_kept() -> Iterator[None]:
    """A command ignores signals once it has ended, which a process that goes on must not."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def alive(process: psutil.Process) -> bool:
    """Whether it still runs; one that has ended and that nobody waits for does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def command_line(process: psutil.Process) -> str:
    """Its words, empty where it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def watchdog_of(pid: int) -> psutil.Process:
    """The process that cleans up when the run of this id is killed."""
    (found,) = (child for child in psutil.Process(pid).children() if "bench.runtime.scratch" in command_line(child))
    return found
