"""One cycle over an index of the test's own: every ending, its exit code and its report, in one process."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.commands.parameters import load_parameters
from bench.commands.run.cycle import Cycle
from bench.common.failures import UnavailableError, UsageError
from bench.deployment import TaskFailures
from bench.deployment.observe.metrics import MetricsFile
from bench.deployment.observe.series import Series
from bench.load.thresholds import Threshold
from bench.report.model import Report
from bench.runtime.progress import Progress
from bench.runtime.run import conduct
from tests.bench.fake_index import FakeIndex
from tests.bench.fake_index_under_test import PASSWORD, STACK, FakeIndexUnderTest

SMALL = {"packages": 2, "clients": 2, "generators": 1}
Conduct = Callable[..., Report]


@pytest.fixture
def cycle(tmp_path: Path, wheel_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Conduct:
    """Conducts one over an index, with options of the load."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(wheel_cache))
    monkeypatch.setenv("PYPISERVER_BENCH_RUN", "")  # so that the mark of the run goes with the test

    def run(index: FakeIndexUnderTest, **options: object) -> Report:
        job = Cycle(index, load_parameters({**SMALL, **options}, {}))
        return conduct(tmp_path / "results", ["bench"], Progress(), job)

    return run


@pytest.mark.parametrize(("workload", "loads"), [("burst", ("GET", "reader")), ("uploads", ("POST", "uploader"))])
def test_clients_have_the_fewest_rights_that_they_need(cycle: Conduct, workload: str, loads: tuple[str, str]) -> None:
    index = FakeIndexUnderTest()
    cycle(index, workload=workload)
    assert index.index.users == {("POST", "uploader"), ("GET", "uploader"), loads}


def raising(error: Exception) -> Callable[[], object]:
    def fail() -> None:
        raise error

    return fail


def test_a_load_that_the_index_holds_passes(cycle: Conduct, tmp_path: Path) -> None:
    index = FakeIndexUnderTest()
    report = cycle(index, thresholds=(Threshold("listing_p95_s", 60.0), Threshold("download_p95_s", 60.0)))
    assert (report.exit_code, report.verdict, report.failure) == (0, "passed", None)
    assert report.summary is not None
    assert (report.summary.requests, report.summary.failed) == (6, 0)
    assert sum(report.per_task.values()) == 4  # but for the redirects, which are public
    assert report.stack == STACK
    assert report.cpu is not None
    assert report.cpu.per_task_s == {"task-1": 0.5, "task-2": 0.25}
    assert report.cpu.balancer is not None
    assert report.cpu.balancer.cpu_s == 0.125
    assert report.workload is not None
    assert (report.workload.packages, report.workload.wheels) == (2, 6)
    assert report.teardown is not None
    assert report.teardown.complete
    assert index.calls == ["up", "down"]
    (folder,) = (tmp_path / "results").iterdir()
    assert {path.name for path in folder.iterdir()} == {"report.json", "report.md", "samples.npz", "metrics.json"}
    assert report.warnings == ["the password is [secret]"]
    assert not any(PASSWORD.encode() in path.read_bytes() for path in folder.iterdir())


def test_the_series_of_the_load_are_written(cycle: Conduct, tmp_path: Path) -> None:
    credits = Series(
        metric="instance_cpu_credits",
        subject="i-1",
        source="CloudWatch AWS/EC2 CPUCreditBalance Average",
        unit="credits",
        period_s=300,
        unix_s=[1796000000.0],
        values=[144.0],
    )
    report = cycle(FakeIndexUnderTest(series=[credits]))
    (path,) = (tmp_path / "results").glob("*/metrics.json")
    metrics = MetricsFile.model_validate_json(path.read_text())
    assert metrics.series == [credits]
    assert metrics.run_id == report.run.id
    assert report.run.started_at <= metrics.load_started_at <= metrics.load_ended_at <= report.run.ended_at


def test_an_index_that_stays_keeps_its_packages_and_has_no_teardown(cycle: Conduct) -> None:
    files = {"alpha-1.0-py3-none-any.whl": b"wheel"}
    server = FakeIndex()
    server.files = dict(files)
    report = cycle(FakeIndexUnderTest(server, is_temporary=False))
    assert report.summary is not None
    assert (report.summary.requests, report.summary.failed) == (6, 0)
    assert report.workload is not None
    assert (report.workload.packages, report.workload.wheels, report.workload.package_set) == (1, 1, None)
    assert report.teardown is None
    assert server.files == files


def test_a_missed_threshold_is_exit_3(cycle: Conduct) -> None:
    report = cycle(FakeIndexUnderTest(), thresholds=(Threshold("listing_p95_s", 0.000001),))
    assert report.exit_code == 3
    assert report.failure is not None
    assert "listing_p95_s" in report.failure


@pytest.mark.parametrize("during", ["during_up", "during_load"])
def test_an_oom_kill_is_part_of_the_report_however_the_run_ends(cycle: Conduct, during: str) -> None:
    killed = "task-1 needed more memory than its limit"
    index = FakeIndexUnderTest(failures=TaskFailures(oom_kills=(killed,)))
    setattr(index, during, raising(UnavailableError("the index is gone")))
    report = cycle(index)
    assert (report.exit_code, report.failure) == (4, "the index is gone")
    assert killed in report.warnings


def test_an_index_that_does_not_come_up_is_exit_4_and_is_taken_down(cycle: Conduct) -> None:
    index = FakeIndexUnderTest(during_up=raising(UnavailableError("nobody is there")))
    report = cycle(index)
    assert (report.exit_code, report.failure) == (4, "nobody is there")
    assert (report.stack, report.summary, report.run.index_url) == (STACK, None, None)
    assert report.teardown is not None
    assert report.teardown.complete
    assert index.calls == ["up", "down"]


def test_what_remains_is_exit_5(cycle: Conduct) -> None:
    report = cycle(FakeIndexUnderTest(leftovers=("port 8080",)))
    assert (report.exit_code, report.failure) == (5, "left behind: port 8080")
    assert report.teardown is not None
    assert report.teardown.leftovers == ["port 8080"]


def test_a_task_that_ended_under_load_is_exit_6(cycle: Conduct) -> None:
    report = cycle(FakeIndexUnderTest(failures=TaskFailures(ended=("task-1 ended with status -9",))))
    assert report.exit_code == 6
    assert report.failure == "task-1 ended with status -9 (it was up when the load began)"


def test_a_refused_value_leaves_no_results(cycle: Conduct, tmp_path: Path) -> None:
    index = FakeIndexUnderTest(during_up=raising(UsageError(f"--tasks 25 of {PASSWORD}: the plan has at most 24")))
    with pytest.raises(UsageError, match=r"--tasks 25 of \[secret\]: the plan has at most 24"):
        cycle(index)
    assert index.calls == ["up", "down"]
    assert list((tmp_path / "results").iterdir()) == []


def test_a_bug_is_exit_1_and_keeps_its_traceback(cycle: Conduct, tmp_path: Path) -> None:
    report = cycle(FakeIndexUnderTest(during_load=raising(ZeroDivisionError(PASSWORD))))
    assert report.exit_code == 1
    assert report.failure is not None
    assert report.failure.endswith("ZeroDivisionError: [secret]")
    (traceback,) = (tmp_path / "results").glob("*/traceback.txt")
    assert PASSWORD not in traceback.read_text()


@pytest.mark.parametrize("during", ["during_up", "during_load"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_exit_130_and_takes_everything_down(cycle: Conduct, during: str, number: signal.Signals) -> None:
    index = FakeIndexUnderTest()
    setattr(index, during, lambda: os.kill(os.getpid(), number))
    report = cycle(index)
    assert (report.exit_code, report.failure) == (130, f"interrupted by {number.name}")
    assert report.teardown is not None
    assert report.teardown.complete
    assert index.calls == ["up", "down"]


def test_a_leftover_of_an_interrupted_run_is_in_its_report(cycle: Conduct) -> None:
    index = FakeIndexUnderTest(leftovers=("port 8080",), during_up=lambda: os.kill(os.getpid(), signal.SIGINT))
    report = cycle(index)
    assert report.exit_code == 130
    assert "left behind: port 8080" in report.warnings
