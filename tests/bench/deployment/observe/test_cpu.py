"""The CPU time of process trees. How much they use is known: it is what they burn, whatever else the machine does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.deployment.observe.cpu import cpu_used_s, tree_cpu_s

BURNT_S = 0.2
# What /proc counts by, and what starting a process costs besides.
TOLERANCE_S = 0.05

PROGRAM = f"""
import ctypes, os, signal, sys, time

prctl = ctypes.CDLL(None).prctl  # a child goes with its parent

def burn():
    until = time.process_time() + {BURNT_S}
    while time.process_time() < until:
        pass

for command in sys.stdin:
    if command == "burn\\n":
        burn()
    elif command == "child\\n":
        child = os.fork()
        if not child:
            prctl(1, signal.SIGKILL)
            burn()
            print("done", flush=True)
            signal.pause()
        continue
    elif command == "end child\\n":
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    print("done", flush=True)
"""


class Burner:
    """A process that does as it is told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def do(self, command: str) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"


@contextmanager
def burner() -> Iterator[Burner]:
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        started = Burner(process)
        started.do("nothing")  # it has started up
        yield started
        process.kill()


@pytest.mark.parametrize(
    ("before", "meanwhile", "burnt_s"),
    [
        ([], [], 0.0),
        (["burn"], [], 0.0),
        (["burn"], ["burn", "burn"], 2 * BURNT_S),
        ([], ["child"], BURNT_S),
        ([], ["burn", "child", "end child"], 2 * BURNT_S),
        (["child"], ["end child", "child"], BURNT_S),
        (["child", "end child"], ["burn"], BURNT_S),
    ],
)
def test_what_a_process_and_its_children_use_meanwhile(before: list[str], meanwhile: list[str], burnt_s: float) -> None:
    with burner() as busy, burner() as idle:
        for command in before:
            busy.do(command)
        with cpu_used_s({"busy": busy.process.pid, "idle": idle.process.pid}) as used_s:
            for command in meanwhile:
                busy.do(command)
    assert used_s["busy"] == pytest.approx(burnt_s, abs=TOLERANCE_S)
    assert used_s["idle"] == pytest.approx(0.0, abs=TOLERANCE_S)


def test_a_process_that_ended_meanwhile_is_left_out() -> None:
    with burner() as one, burner() as other:
        with cpu_used_s({"one": one.process.pid, "other": other.process.pid}) as used_s:
            one.process.kill()
            one.process.wait()
        assert list(used_s) == ["other"]
        assert tree_cpu_s(one.process.pid) is None
