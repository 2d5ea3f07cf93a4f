"""Runs that are killed by SIGKILL: two seconds later nothing is left of them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psutil
import pytest

from tests.bench.command_line import Bench, alive, command_line
from tests.thorough import thorough

PATIENCE_S = 2.0
SMALL = ("--packages", "12", "--clients", "60", "--engine", "embedded")
STEPS = ("evaluate", "start", "packages", "publish", "load")


def kill(bench: Bench, step: str, *started: str) -> list[object]:
    """Kill a run, and no other process, in a step and once it has started these programs; returns what is left."""
    (process,) = bench.started
    run = psutil.Process(process.pid)
    bench.follow_to(process, step)
    while not all(program in " ".join(map(command_line, run.children(recursive=True))) for program in started):
        assert alive(run), f"it ended before it started {started}"
        time.sleep(0.01)
    children = run.children(recursive=True)
    process.kill()
    process.communicate(timeout=60)
    deadline = time.monotonic() + PATIENCE_S
    while left := [*bench.remains(process.pid), *filter(alive, children)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return left


@pytest.mark.parametrize(
    ("step", "started"),
    [("publish", "/gunicorn"), ("load", "bench.load.generators.worker"), *thorough(*((s, "") for s in STEPS))],
)
def test_a_killed_run_leaves_nothing(bench: Bench, step: str, started: str) -> None:
    bench.environment["XDG_CACHE_HOME"] = str(bench.folder / "cold")  # so that there is something to build
    bench.start(*SMALL, "--duration", "5")
    assert kill(bench, step, started) == []


@pytest.mark.engine
def test_a_killed_run_takes_the_pulumi_command_with_it(bench: Bench, pulumi_cli: Path) -> None:
    bench.environment["PATH"] = f"{pulumi_cli}{os.pathsep}{os.environ['PATH']}"
    bench.start("--engine", "pulumi")
    assert kill(bench, "evaluate", "/pulumi --non-interactive up") == []


def test_a_killed_comparison_leaves_nothing(bench: Bench) -> None:
    bench.start("compare", *SMALL, "--stacks", "stress", "--against", "limit")
    assert kill(bench, "warm-up: limit", "/envoy", "/gunicorn", "/nginx") == []


def test_killed_builders_leave_nothing(bench: Bench, tmp_path: Path) -> None:
    bench.environment["XDG_CACHE_HOME"] = str(bench.folder / "cold")
    bench.start("packages", str(tmp_path / "wheels"))
    assert kill(bench, "packages", "bench.packages.worker") == []
