"""One process of the load generator, spoken to as its parent does."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import pytest

from bench.common.failures import ExitCode
from bench.load.clients import LoadSpec, ProcessMeasurement
from bench.load.generators.messages import LENGTH_BYTES, Failure, Message, Ready
from tests.bench.scripted_index import ONE_INSTALL, rows, spec

PROGRAM = "from bench.load.generators.worker import main; raise SystemExit(main())"
FULL_DISK = f"""
from bench.common.failures import DiskFullError
from bench.load.samples import Recorder

def record(*_, **__):
    raise DiskFullError("/the/spill/folder")

Recorder.record = record
{PROGRAM}
"""
# Nobody listens on port 1, so that a request fails at once.
NOWHERE = "http://127.0.0.1:1/"


class Worker:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self.stdin, self.stdout = process.stdin, process.stdout

    def send(self, content: bytes) -> None:
        self.stdin.write(content)
        self.stdin.flush()

    def next(self) -> Message:
        message: Message = 0
        while isinstance(message, int):
            message = pickle.loads(self.stdout.read(int.from_bytes(self.stdout.read(LENGTH_BYTES))))
        return message


@contextmanager
def worker(load: LoadSpec, program: str = PROGRAM) -> Iterator[Worker]:
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        started = Worker(process)
        started.send(pickle.dumps((load, 0, 1)))
        yield started
        process.kill()


def test_rounds_until_stdin_ends(tmp_path: Path) -> None:
    with worker(spec(NOWHERE, tmp_path)) as one:
        for _ in range(2):
            assert one.next() == Ready()
            one.send(f"{perf_counter()!r}\n".encode())
        assert one.next() == Ready()
        one.stdin.close()
        measured = one.next()
        assert isinstance(measured, ProcessMeasurement)
        assert rows(measured) == [("redirect", 0, "CONNECT")] * 2
        assert one.process.wait(30) == 0


def test_stdin_that_ends_before_the_first_round(tmp_path: Path) -> None:
    with worker(spec(NOWHERE, tmp_path)) as one:
        assert one.next() == Ready()
        one.stdin.close()
        measured = one.next()
        assert isinstance(measured, ProcessMeasurement)
        assert (len(measured.samples), measured.wall_s) == (0, 0.0)
        assert one.process.wait(30) == 0


def test_a_failure_is_told_with_what_was_measured_until_then(tmp_path: Path) -> None:
    with worker(spec(NOWHERE, tmp_path), FULL_DISK) as one:
        assert one.next() == Ready()
        one.send(f"{perf_counter()!r}\n".encode())
        failure = one.next()
        assert isinstance(failure, Failure)
        assert failure.exit_code == ExitCode.INTERNAL
        assert "no space left on the device while writing /the/spill/folder" in failure.sentence
        assert isinstance(one.next(), ProcessMeasurement)


@pytest.mark.parametrize("stdout_first", [True, False])
def test_where_nobody_is_left_to_be_told_it_ends(tmp_path: Path, stdout_first: bool) -> None:
    with worker(spec(NOWHERE, tmp_path, ONE_INSTALL)) as one:
        assert one.next() == Ready()
        for pipe in (one.stdout, one.stdin) if stdout_first else (one.stdin, one.stdout):
            pipe.close()
        assert one.process.wait(30) in (0, 1)
