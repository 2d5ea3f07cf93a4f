"""`python -m bench compare` with stacks of its own: what it measures, how it ends, what it leaves."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

from bench.common.run_mark import RUN_VARIABLE
from bench.load.samples import Operation, Samples
from tests.bench.command_line import Bench, InProcessBench
from tests.bench.task_passwords import passwords_of
from tests.thorough import thorough

SMALL = ("compare", "--packages", "3", "--clients", "12", "--engine", "embedded")
PAIR = (*SMALL, "--stacks", "stress,stress:stickiness_enabled=true:backend=simple-dir")
OTHER = "stress:stickiness_enabled=true:backend=simple-dir"


def comparison_of(bench: Bench) -> dict[str, Any]:
    (path,) = bench.results.glob("*/comparison.json")
    comparison: dict[str, Any] = json.loads(path.read_text())
    return comparison


def samples_of(bench: Bench, variant: str, round_: str) -> Samples:
    (path,) = bench.results.glob(f"*/{variant}/{round_}/samples.npz")
    return Samples.load(path)


def downloads_of(bench: Bench, variant: str, round_: str) -> NDArray[np.int64]:
    """Sizes of the wheels that were downloaded; listings of two backends differ in length."""
    samples = samples_of(bench, variant, round_)
    return np.sort(samples.received_bytes[samples.operation == Operation.DOWNLOAD])


def test_two_stacks_side_by_side(bench: Bench) -> None:
    process = bench.start(*PAIR, "--rounds", "2")
    output, errors = process.communicate()
    comparison = comparison_of(bench)

    assert process.returncode == comparison["exit_code"] == 0, errors
    assert comparison["verdict"] == "passed"
    assert (comparison["rounds"], comparison["warm_up_rounds"]) == (2, 1)
    assert [(v["name"], v["requests"], v["failed"]) for v in comparison["variants"]] == [
        ("stress", 72, 0),
        (OTHER, 72, 0),
    ]
    for variant in comparison["variants"]:
        assert sum(variant["per_task"].values()) == 72
        assert set(variant["per_task"]) == {"task-1", "task-2"}
    for name, figure in comparison["figures"].items():
        assert set(figure) == {"stress", OTHER}
        assert all(measured["value"] is not None for measured in figure.values()), name
        assert figure["stress"]["change"] is None
        assert figure[OTHER]["change"] is not None, name
    assert f"stickiness_enabled is not set in stress and true in {OTHER}" in comparison["differing"]
    assert comparison["intervals_of"] == "requests"
    assert comparison["teardown"] == {"complete": True, "leftovers": []}
    assert "of requests only" in output
    assert "latency p95, s" in output
    assert bench.remains(process.pid) == []

    # In turn, the warm-up first.
    steps = [line for line in errors.splitlines() if line.startswith(("warm-up: ", "round ")) and " of " not in line]
    assert steps == [
        *(f"{name}: {variant}" for name in ("warm-up", "round 1") for variant in ("stress", OTHER)),
        *(f"round 2: {variant}" for variant in (OTHER, "stress")),
    ]

    # The same packages at the same time for every variant, and others in each round.
    folder = OTHER.replace(":", "-")
    first, second = (downloads_of(bench, "1-stress", round_) for round_ in ("round-1", "round-2"))
    assert np.array_equal(first, downloads_of(bench, f"2-{folder}", "round-1"))
    assert not np.array_equal(first, second)


def test_beside_the_limit_of_the_machine(bench: Bench) -> None:
    process = bench.start(*SMALL, "--stacks", "stress", "--against", "limit", "--rounds", "3")
    _, errors = process.communicate()
    comparison = comparison_of(bench)

    assert process.returncode == 0, errors
    assert comparison["intervals_of"] == "rounds and requests"
    stress, limit = comparison["variants"]
    assert (limit["name"], limit["requests"], limit["failed"]) == ("limit", stress["requests"], 0)
    assert set(limit["per_task"]) == {"nginx-1", "nginx-2"}
    assert limit["stack"] is None
    assert len(limit["notes"]) == 2
    for name in ("throughput_rps", "tasks_cpu_us_per_request"):
        assert comparison["figures"][name]["limit"]["change"]["interval"] is not None
    assert bench.remains(process.pid) == []

    # The same bytes, but for those of redirects.
    own, static = (samples_of(bench, variant, "round-1") for variant in ("1-stress", "2-limit"))
    for operation in (Operation.LISTING, Operation.DOWNLOAD):
        of_own, of_static = (np.sort(s.received_bytes[s.operation == operation]) for s in (own, static))
        assert np.array_equal(of_own, of_static)
        assert len(of_own) == 12


def test_uploads_are_new_in_every_round(bench: Bench) -> None:
    status, _, errors = bench.run(*PAIR, "--workload", "uploads", "--rounds", "1", "--clients", "4")

    assert status == 0, errors
    assert [(v["requests"], v["failed"]) for v in comparison_of(bench)["variants"]] == [(4, 0), (4, 0)]


def test_no_file_of_a_comparison_holds_a_password(bench: Bench) -> None:
    process = bench.start(*SMALL, "--stacks", "stress,stress", "--against", "limit", "--rounds", "1")
    bench.follow_to(process, "warm-up: limit")
    passwords = passwords_of(process.pid)
    (users,) = Path(bench.environment["TMPDIR"]).rglob("site/htpasswd")
    digest = users.read_text().strip().partition("{SHA}")[2]
    output, errors = process.communicate()

    assert process.returncode == 0, errors
    # Of each role of two stacks.
    assert [len(password) for password in passwords] == [32] * 6
    assert len(digest) == 28
    written = [path for path in bench.results.rglob("*") if path.is_file()]
    # Two texts; for three variants the samples and metrics of two rounds; for two of them the infrastructure.
    assert len(written) == 2 + 3 * 2 * 2 + 2
    for secret in (*passwords, digest):
        assert not any(secret.encode() in path.read_bytes() for path in written)
        assert secret not in output + errors + "".join(bench.lines)
    assert bench.remains(process.pid) == []


def test_variants_with_other_loads_are_refused_before_anything_starts(bench: Bench) -> None:
    process = bench.start(*SMALL, "--stacks", "stress,stress:bench:seed=7:bench:cookies=shared")
    output, errors = process.communicate()
    comparison = comparison_of(bench)

    assert process.returncode == comparison["exit_code"] == 8
    assert "seed is 0 in stress and 7 in stress:bench:seed=7" in comparison["failure"]
    assert "workload.cookies is none in stress and shared in" in comparison["failure"]
    assert "evaluate" not in output + errors
    assert bench.remains(process.pid) == []


MOMENTS = [
    ("publish to stress", 0.05),
    ("start limit", 0.3),
    ("round 1: limit", 0.02),
    *thorough(
        ("evaluate stress", 0.0),
        ("start stress", 0.3),
        ("evaluate stress (2)", 0.1),
        ("start stress (2)", 0.5),
        ("start limit", 0.0),
        ("warm-up: stress (2)", 0.0),
        ("round 1: stress", 0.1),
        ("down", 0.2),
    ),
]


@pytest.mark.parametrize(("step", "delay_s"), MOMENTS)
def test_an_interrupted_comparison_leaves_nothing(bench: Bench, step: str, delay_s: float) -> None:
    process = bench.start(*SMALL, "--stacks", "stress,stress", "--against", "limit", "--rounds", "3")
    bench.follow_to(process, step)
    time.sleep(delay_s)  # not waiting for anything: this is the moment that is tried
    process.send_signal(signal.SIGTERM)
    if step != "down":
        bench.follow_to(process, "down")
        process.send_signal(signal.SIGINT)  # impatience must not cut the way down short
    _, rest = process.communicate()
    bench.lines += rest.splitlines()

    comparison = comparison_of(bench)
    assert process.returncode == comparison["exit_code"] == 130
    assert comparison["teardown"] == {"complete": True, "leftovers": []}
    assert comparison["rounds"] == (3 if step == "down" else 0)
    assert bool(comparison["figures"]) == (step == "down")
    assert bench.remains(process.pid) == []


@pytest.mark.parametrize("name", ["/nginx", *thorough("/envoy", "/gunicorn")])
def test_a_part_that_dies_under_load_spoils_the_comparison(bench: Bench, name: str) -> None:
    process = bench.start(*SMALL, "--stacks", "stress", "--against", "limit", "--rounds", "1", "--duration", "2")
    bench.follow_to(process, "round 1: limit" if name == "/nginx" else "round 1: stress")
    master = min(processes_of(process.pid, name), key=lambda found: found.create_time())
    for victim in [master, *master.children(recursive=True)]:
        victim.kill()
    _, rest = process.communicate()
    bench.lines += rest.splitlines()
    comparison = comparison_of(bench)

    assert process.returncode == comparison["exit_code"] == 6
    assert "ended with status -9" in comparison["failure"]
    assert comparison["failure"].startswith("limit: " if name == "/nginx" else "stress: ")
    assert comparison["teardown"] == {"complete": True, "leftovers": []}
    assert bench.remains(process.pid) == []


def processes_of(pid: int, name: str) -> list[psutil.Process]:
    """The processes of a run whose command line has a word that ends so."""
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get(RUN_VARIABLE, "").startswith(f"{pid}-")
            if ours and any(word.endswith(name) for word in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


MISTAKES = {
    "one stack": (("--stacks", "stress"), 2, "no comparison"),
    "a stack that is none": (("--stacks", "stress,nowhere"), 2, "nowhere"),
    "a setting that is none": (("--stacks", "stress,stress:containr_memory_mb=512"), 2, "container_memory_mb"),
    "nothing to compare": ((), 2, "there is nothing to compare"),
    "no rounds": (("--stacks", "stress,stress", "--rounds", "0"), 2, "0 is not a whole number"),
    "uploads to files": (("--stacks", "stress", "--against", "limit", "--workload", "uploads"), 2, "uploads"),
    "a threshold, which nobody judges": (("--stacks", "a,b", "--threshold", "error_rate=0"), 2, "--threshold"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_sentence_and_an_exit_code(in_process_bench: InProcessBench, case: str) -> None:
    options, expected_status, mentioned = MISTAKES[case]
    status, output, errors = in_process_bench.run(*SMALL, *options)

    assert status == expected_status
    assert mentioned in output + errors
    assert "Traceback" not in output + errors
