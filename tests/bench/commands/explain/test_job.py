"""A climb with real stacks: what it finds out, and what it leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.commands.explain.ladder import ladder
from bench.commands.explain.mixing import UPLOADS
from bench.commands.explain.page import BEGIN, END
from bench.commands.explain.probes import CLIENTS, OFFSETS_S
from tests.bench.command_line import ROOT, Bench, InProcessBench
from tests.thorough import thorough

PEER, ENTRY_POINT, BACKEND, LAST = 0, 4, 6, 7
EMPTY_PAGE = f"above\n\n{BEGIN}\n{END}\n\nbelow\n"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.md"
    path.write_text(EMPTY_PAGE)
    return path


def climb(bench: Bench, page: Path, *steps: int) -> subprocess.Popen[str]:
    module = [sys.executable, "-m", "tests.bench.commands.explain.short_ladder"]
    process = subprocess.Popen(
        [*module, str(bench.results), ",".join(map(str, steps)), str(page)],
        cwd=ROOT,
        env=bench.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    bench.started.append(process)
    return process


def explanation_of(bench: Bench) -> dict[str, Any]:
    (path,) = bench.results.glob("*/explain.json")
    explanation: dict[str, Any] = json.loads(path.read_text())
    return explanation


def test_the_root_causes_show_where_they_should(bench: Bench, page: Path) -> None:
    process = climb(bench, page, PEER, ENTRY_POINT, LAST)
    _, errors = process.communicate()
    explanation = explanation_of(bench)
    peer, entry_point, ours = explanation["steps"]

    assert process.returncode == explanation["exit_code"] == 0, errors
    assert bench.remains(process.pid) == []
    assert [step["name"] for step in explanation["steps"]] == [ladder()[n].name for n in (PEER, ENTRY_POINT, LAST)]
    for step in explanation["steps"]:
        assert (step["requests"], step["failed"]) == (36, 0)
        assert sum(step["per_task"].values()) == 36
        assert all(measured["value"] is not None for measured in step["figures"].values())
        assert step["probes"]["spread"]["requests"] == CLIENTS
        assert step["probes"]["idle"]["requests"] == CLIENTS * len(OFFSETS_S)
        assert sum(step["probes"]["mixing"]["answers"].values()) == UPLOADS

    assert peer["probes"]["spread"]["to_the_busiest_task"] == CLIENTS
    # Dealt out in turn without the cookie. Least outstanding requests may find the same task idle each time.
    assert entry_point["probes"]["spread"]["to_the_busiest_task"] < CLIENTS
    # Exactly those: other failures would be faults of the probes.
    assert peer["probes"]["mixing"]["whole"] < UPLOADS
    for step in (entry_point, ours):
        assert step["probes"]["mixing"] == {"uploads": UPLOADS, "answers": {"200": UPLOADS}, "whole": UPLOADS}
        assert step["probes"]["idle"]["failed"] == 0
    assert [step["probes"]["health_check"]["path"] for step in explanation["steps"]] == ["/", "/health", "/health"]
    change = ours["figures"]["tasks_cpu_us_per_request"]["change"]
    assert change["kind"] == "ratio"
    assert change["value"] < 0.5

    text = page.read_text()
    assert text.startswith("above\n")
    assert text.endswith("\nbelow\n")
    assert "| 2 | `load_balancing_algorithm=least_outstanding_requests` |" in text
    (folder,) = bench.results.iterdir()
    assert (folder / "explain.md").read_text().count("| `peer` |") == 1
    assert len(list(folder.glob("*/round-1/samples.npz"))) == 3


MOMENTS = [
    "evaluate backend=validated",
    f"start {ladder()[LAST].name}",
    *thorough("warm-up: ", f"probe {ladder()[LAST].name}"),
]


@pytest.mark.parametrize("step", MOMENTS)
def test_an_interrupted_climb_leaves_nothing(bench: Bench, page: Path, step: str) -> None:
    process = climb(bench, page, BACKEND, LAST)
    bench.follow_to(process, step)
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate()
    bench.lines += rest.splitlines()
    explanation = explanation_of(bench)

    assert process.returncode == explanation["exit_code"] == 130
    assert explanation["teardown"] == {"complete": True, "leftovers": []}
    probed = step.startswith("probe")
    assert explanation["rounds"] == int(probed)
    assert [told["probes"] is not None for told in explanation["steps"]] == [probed, False]
    assert page.read_text() == EMPTY_PAGE
    assert bench.remains(process.pid) == []


MISTAKES = {
    "no rounds": (("--rounds", "0"), "0 is not a whole number"),
    "a page that is not there": (("--write", "nowhere.md"), "--write nowhere.md"),
    "a page without a place": (("--write", "README.md"), "the page needs the lines"),
    "a load of another shape": (("--cookies", "none"), "--cookies"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_sentence_before_anything_starts(in_process_bench: InProcessBench, case: str) -> None:
    options, mentioned = MISTAKES[case]
    status, output, errors = in_process_bench.run("explain", *options)

    assert status == 2
    assert mentioned in output + errors
    assert "Traceback" not in output + errors
    assert not in_process_bench.results.exists()
