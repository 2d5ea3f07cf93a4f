"""Loaders from the command line: exit codes, sentences, and what remains."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.common.failures import ExitCode
from tests.bench.command_line import Bench
from tests.bench.fake_index import FakeIndex, serving
from tests.bench.load.generators.dask_processes import DaskProcesses


class StallingIndex(FakeIndex):
    """Has one package, whose wheel it never sends."""

    def __init__(self) -> None:
        super().__init__()
        self.files["alpha-1.0-py3-none-any.whl"] = b"wheel"
        self.stalled = 0

    async def seen_by(self, task: str, kind: str) -> dict[str, bytes] | int:
        if kind == "download":
            self.stalled += 1
            with contextlib.suppress(asyncio.CancelledError):  # the end of the test
                await asyncio.sleep(3600)
        return self.files


@contextmanager
def stalled_load(bench: Bench, loaders: str) -> Iterator[subprocess.Popen[str]]:
    """A load of 12 clients in mid-burst: each waits for a wheel."""
    index = StallingIndex()
    with serving(index):
        process = bench.start("load", "--url", index.url, "--clients", "12", "--loaders", loaders)
        while index.stalled < 12:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        yield process


def test_a_killed_worker_ends_the_command_with_its_name(bench: Bench, dask: DaskProcesses) -> None:
    killed = sorted(dask.workers)[0]
    with stalled_load(bench, dask.address) as process:
        dask.workers[killed].process.kill()
        output, errors = process.communicate()
    assert process.returncode == ExitCode.UNTRUSTWORTHY
    assert f"loader {killed} is lost" in output
    assert "Traceback" not in output + errors
    assert bench.report()["exit_code"] == ExitCode.UNTRUSTWORTHY
    dask.end_workers(killed)
    dask.wait_until_idle()


def test_ctrl_c_ends_the_load_and_leaves_scheduler_and_workers_idle(bench: Bench, dask: DaskProcesses) -> None:
    with stalled_load(bench, dask.address) as process:
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate()
    assert process.returncode == ExitCode.INTERRUPTED
    assert "Traceback" not in output + errors
    assert bench.report()["summary"]["requests"] == 24, "what was measured until then"
    assert bench.remains(process.pid) == []
    dask.wait_until_idle()


def test_ctrl_c_ends_a_local_cluster(bench: Bench) -> None:
    """The terminal sends it to the workers as well."""
    with stalled_load(bench, "2") as process:
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate()
    assert process.returncode == ExitCode.INTERRUPTED
    assert "Traceback" not in output + errors
    assert bench.report()["summary"]["requests"] == 24, "what was measured until then"
    assert bench.remains(process.pid) == []


@pytest.mark.thorough
def test_loaders_of_a_killed_benchmark_end_when_their_lease_does(bench: Bench, dask: DaskProcesses) -> None:
    with stalled_load(bench, dask.address) as process:
        process.kill()
        process.communicate()
        dask.wait_until_idle()


def test_a_local_cluster_sends_a_load_and_goes_with_the_run(bench: Bench) -> None:
    index = FakeIndex()
    index.files["alpha-1.0-py3-none-any.whl"] = b"wheel"
    with serving(index):
        process = bench.start("load", "--url", index.url, "--clients", "12", "--loaders", "2")
        output, errors = process.communicate()
    assert process.returncode == 0, output + errors
    report = bench.report()
    assert report["summary"]["requests"] == 36
    assert {name: report["workload"]["parameters"][name] for name in ("generators", "loaders")} == {
        "generators": 2,
        "loaders": "local",
    }
    loaders = report["generator"]["loaders"]
    assert [each["cpu_share"] for each in loaders] == report["generator"]["cpu_shares"]
    assert all(each["round_trip_s"] > 0 and 0 < each["clock_residual_s"] < 1 for each in loaders)
    assert bench.remains(process.pid) == []


def test_no_scheduler_is_told_before_anything_else_is_begun(bench: Bench) -> None:
    status, output, errors = bench.run("--loaders", "tcp://127.0.0.1:1")
    assert status == ExitCode.UNAVAILABLE
    assert "--loaders tcp://127.0.0.1:1: no Dask scheduler answers there" in output
    assert "evaluate" not in errors


def test_dask_is_imported_only_where_it_is_asked_for() -> None:
    program = (
        "import sys, bench.cli, bench.commands.run.cycle, bench.load.generators.dask_workers\n"
        "print({'dask', 'distributed'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
