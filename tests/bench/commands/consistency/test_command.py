"""`python -m bench consistency` as a person runs it: what it finds, how it ends, what it leaves."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.bench.command_line import Bench, InProcessBench
from tests.bench.conftest import ServedIndex
from tests.bench.fake_index import FakeIndex
from tests.thorough import thorough

SMALL = ("--uploads", "4", "--readers", "6")
LOCAL = (*SMALL, "--engine", "embedded", "--tasks", "2")
Serve = Callable[[FakeIndex], FakeIndex]


def start(bench: Bench, *options: str) -> subprocess.Popen[str]:
    return bench.start("consistency", *options)


def check(bench: Bench, *options: str) -> tuple[int, str]:
    """Exit code, and what it said."""
    process = start(bench, *options)
    output, errors = process.communicate()
    assert bench.remains(process.pid) == []
    return process.returncode, output + errors


def report_of(bench: Bench) -> dict[str, Any]:
    (path,) = bench.results.glob("*/consistency.json")
    report: dict[str, Any] = json.loads(path.read_text())
    return report


@pytest.mark.parametrize("backend", ["simple-dir", "validated"])
def test_no_task_of_the_stack_misses_an_upload_or_a_removal(bench: Bench, backend: str) -> None:
    status, said = check(bench, *LOCAL, "-c", f"backend={backend}")
    report = report_of(bench)
    faults = report["faults"]
    # simple-dir writes an upload under its final name: whoever comes just then sees half of it, and is told so.
    half_written = faults.pop("wrong_digest") + faults.pop("wrong_bytes")
    assert backend == "simple-dir" or not half_written
    assert faults == {"stale": 0, "stale_removal": 0, "lost": 0, "early": 0}
    assert (status, report["verdict"]) == ((3, "inconsistent") if half_written else (0, "passed"))
    assert ("wrong" if half_written else "consistent") in said
    assert report["exit_code"] == status
    assert (report["uploads"], report["removals"]) == (4, 4)
    assert {task["name"] for task in report["tasks"]} == {"task-1", "task-2"}
    assert all(task["reads"] > 20 and task["silences"] == 0 for task in report["tasks"])
    assert report["reads"] == sum(task["reads"] for task in report["tasks"])
    assert report["remaining"] == []
    assert report["teardown"] == {"complete": True, "leftovers": []}


def test_a_real_index_without_balancer_is_checked_and_left_as_it_was(bench: Bench, pypi_server: ServedIndex) -> None:
    bench.environment |= {"PYPI_USERNAME": pypi_server.username, "PYPI_PASSWORD": pypi_server.password}
    status, said = check(bench, *SMALL, "--url", pypi_server.url)
    report = report_of(bench)
    assert (report["uploads"], report["removals"], report["refusals"]) == (4, 4, [])
    assert report["faults"]["stale"] == report["faults"]["stale_removal"] == 0
    assert status in (0, 3)
    assert [task["name"] for task in report["tasks"]] == ["unnamed"]
    assert "X-Served-By" in said
    assert list(pypi_server.packages.iterdir()) == []
    assert pypi_server.password not in json.dumps(report) + said


def test_the_url_may_stand_in_the_environment(bench: Bench, serving: Serve) -> None:
    index = serving(FakeIndex(tasks=("a", "b", "c")))
    bench.environment["PYPI_URL"] = index.url
    status, said = check(bench, *SMALL, "--tasks", "3")
    assert status == 0, said
    report = report_of(bench)
    assert report["verdict"] == "passed"
    assert set(report["faults"].values()) == {0}
    assert report["reads_by_kind"].keys() == {"listing_html", "listing_json", "index_page", "download"}
    assert min(report["reads_by_kind"].values()) > 0
    assert index.files == {}


def test_packages_can_be_kept(bench: Bench, serving: Serve) -> None:
    index = serving(FakeIndex())
    status, said = check(bench, *SMALL, "--url", index.url, "--keep-packages")
    assert status == 0, said
    report = report_of(bench)
    assert len(index.files) == 4
    assert report["remaining"] == sorted(index.files)
    assert all(name.startswith(f"bench_consistency_{report['run']['id'].replace('-', '_')}_") for name in index.files)
    assert report["removals"] == 0


class StaleCache(FakeIndex):
    """Task b keeps the first page of every address for ever, as a cache in front of it would."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, dict[str, bytes]] = {}

    async def seen_by(self, task: str, kind: str) -> dict[str, bytes] | int:
        return self.first.setdefault(kind, dict(self.files)) if task == "b" and kind != "download" else self.files


def test_a_stale_task_is_named_and_is_exit_3(bench: Bench, serving: Serve) -> None:
    index = serving(StaleCache())
    status, said = check(bench, *SMALL, "--url", index.url, "--time-limit", "4")
    report = report_of(bench)
    assert status == report["exit_code"] == 3
    assert report["verdict"] == "inconsistent"
    tasks = {task["name"]: task for task in report["tasks"]}
    assert set(tasks["a"]["faults"].values()) == {0}
    assert tasks["b"]["faults"]["stale"] > 6
    # The answers name the oldest miss, which cannot be older than the time limit.
    assert 0 < tasks["b"]["oldest_miss_s"] < 4
    assert "missed what was there before they were sent" in report["failure"]
    assert "b did not know of the upload of bench" in said
    assert {miss["task"] for miss in report["misses"]} == {"b"}
    assert index.files == {}


def test_a_task_that_did_not_answer_is_exit_6(bench: Bench, serving: Serve) -> None:
    index = serving(FakeIndex())
    status, said = check(bench, *SMALL, "--url", index.url, "--tasks", "3")
    assert status == 6
    assert "--tasks 3: 2 answered, nothing is proved of the others" in said
    assert report_of(bench)["verdict"] == "unproved"


class Unremovable(FakeIndex):
    async def remove(self, filename: str) -> int:
        return 405


def test_what_the_index_does_not_give_back_is_named(bench: Bench, serving: Serve) -> None:
    index = serving(Unremovable())
    status, said = check(bench, *SMALL, "--url", index.url)
    assert status == 5
    assert len(index.files) == 4
    assert all(f"{name} on {index.url}" in said for name in index.files)


class Announcing(FakeIndex):
    """Says when the first upload has arrived, which it takes its time to store."""

    def __init__(self, removal: int = 200) -> None:
        super().__init__()
        self.arrived, self.stored = threading.Event(), threading.Event()
        self._removal = removal

    async def take(self, filename: str, content: bytes) -> int:
        self.arrived.set()
        await asyncio.sleep(0.5)
        status = await super().take(filename, content)
        self.stored.set()
        return status

    async def remove(self, filename: str) -> int:
        return await super().remove(filename) if self._removal == 200 else self._removal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_leaves_nothing_on_a_live_index(bench: Bench, serving: Serve, number: signal.Signals) -> None:
    index = serving(Announcing())
    assert isinstance(index, Announcing)
    process = start(bench, *SMALL, "--url", index.url)
    assert index.arrived.wait(60)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == report_of(bench)["exit_code"] == 130
    assert index.stored.wait(60)  # had the check not waited for its upload, it would have removed nothing
    assert index.files == {}
    assert report_of(bench)["remaining"] == []
    assert bench.remains(process.pid) == []


def test_an_interruption_that_must_leave_something_says_what(bench: Bench, serving: Serve) -> None:
    index = serving(Announcing(removal=403))
    assert isinstance(index, Announcing)
    process = start(bench, *SMALL, "--url", index.url)
    assert index.stored.wait(60)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate()
    assert process.returncode == 130
    assert len(index.files) >= 1
    assert all(name in output for name in index.files)
    assert report_of(bench)["remaining"] == sorted(index.files)


@pytest.mark.parametrize("step", ["start", "uploads", *thorough("removals")])
def test_an_interruption_of_the_check_of_a_stack_leaves_nothing(bench: Bench, step: str) -> None:
    # The last step must not end before the signal is there: with four uploads it takes as long as a few requests.
    process = start(bench, *LOCAL, "--uploads", "30")
    assert process.stderr is not None
    assert any(line.startswith(step) for line in process.stderr)
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode == report_of(bench)["exit_code"] == 130
    assert report_of(bench)["teardown"] == {"complete": True, "leftovers": []}
    assert bench.remains(process.pid) == []


MISTAKES = {
    "a stack and an index": (("--url", "http://127.0.0.1:1", "--stack", "stress"), 2, "unset PYPI_URL"),
    "settings and an index": (("--url", "http://127.0.0.1:1", "-c", "profile=heavy"), 2, "unset PYPI_URL"),
    "no password": (("--url", "http://127.0.0.1:1", "--username", "somebody"), 2, "PYPI_PASSWORD"),
    "no uploads": (("--uploads", "0"), 2, "--uploads"),
    "more tasks than planned": (("--engine", "embedded", "--tasks", "25"), 2, "24"),
    "an unknown setting": (("--engine", "embedded", "-c", "backends=simple-dir"), 2, "backend"),
    "nobody there": (("--url", "http://127.0.0.1:1"), 4, "127.0.0.1:1"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_sentence_and_an_exit_code(in_process_bench: InProcessBench, case: str) -> None:
    options, expected_status, mentioned = MISTAKES[case]
    status, output, errors = in_process_bench.run("consistency", *options)
    assert status == expected_status
    assert mentioned in output + errors
    assert "Traceback" not in output + errors
