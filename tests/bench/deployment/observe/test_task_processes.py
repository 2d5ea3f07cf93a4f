"""CPU time and memory of a process tree that does as it is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.deployment.observe.task_processes import TaskProcesses
from tests.bench.deployment.observe.test_cpu import BURNT_S, TOLERANCE_S, burner

HELD_MB = 40
PROGRAM = f"""
import mmap, sys

held = None
for command in sys.stdin:
    if command == "take\\n":
        held = mmap.mmap(-1, {HELD_MB} << 20)
        for offset in range(0, len(held), mmap.PAGESIZE):
            held[offset] = 1
    elif command == "give back\\n":
        held.close()
    print("done", flush=True)
"""


class Taker:
    """A process that takes memory and gives it back."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.pid = process.pid
        self._process = process

    def do(self, command: str) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"


@contextmanager
def taker() -> Iterator[Taker]:
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        started = Taker(process)
        started.do("nothing")
        yield started
        process.kill()


def test_memory_that_is_held() -> None:
    with taker() as process:
        task = TaskProcesses(process.pid)
        before_mb = task.memory_mb()
        process.do("take")
        assert task.memory_mb() - before_mb == pytest.approx(HELD_MB, abs=2)
        assert task.given_back_mb() == pytest.approx(0, abs=2)


def test_a_peak_between_two_readings() -> None:
    with taker() as process:
        task = TaskProcesses(process.pid)
        before_mb = task.memory_mb()
        process.do("take")
        process.do("give back")
        assert task.memory_mb() == pytest.approx(before_mb, abs=2)
        assert task.given_back_mb() == pytest.approx(HELD_MB, abs=2)


def test_a_peak_of_before_is_none_of_this_load() -> None:
    with taker() as process:
        process.do("take")
        process.do("give back")
        assert TaskProcesses(process.pid).given_back_mb() == 0


def test_cpu_time_of_a_process_and_of_its_children() -> None:
    with burner() as process:
        process.do("burn")
        task = TaskProcesses(process.process.pid)
        assert task.cpu_s() == pytest.approx(0, abs=TOLERANCE_S)
        process.do("burn")
        assert task.cpu_s() == pytest.approx(BURNT_S, abs=TOLERANCE_S)
        process.do("burn")
        assert task.cpu_s() == pytest.approx(2 * BURNT_S, abs=TOLERANCE_S)


def test_cpu_time_does_not_go_back_when_a_process_ends() -> None:
    with burner() as process:
        task = TaskProcesses(process.process.pid)
        process.do("burn")
        used_s = task.cpu_s()
        process.process.kill()
        process.process.wait()
        task.find()
        assert task.cpu_s() == used_s
        assert task.memory_mb() == 0
