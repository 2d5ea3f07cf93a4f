"""Reports of runs that are over: the table, the refusals, the gate."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.commands.compare import model
from bench.commands.compare.reports import ReportComparison
from bench.commands.compare.statistics.gate import GateLimits
from bench.common.failures import UsageError
from bench.report.outcome import Teardown
from bench.runtime.progress import Progress
from bench.runtime.run import conduct
from tests.bench.command_line import Bench
from tests.bench.commands.compare.finished_run import samples_of, write_run

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a run into a folder of the given name."""
    return lambda name, **how: write_run(tmp_path / name, **how)


@pytest.fixture
def compare(tmp_path: Path) -> Callable[[Sequence[Path], GateLimits | None], model.Comparison]:
    """Compares reports, as the command does."""

    def compared(paths: Sequence[Path], limits: GateLimits | None = None) -> model.Comparison:
        comparison = conduct(tmp_path / "results", ["bench"], Progress(), ReportComparison(paths, limits))
        written = (tmp_path / "results" / comparison.run.id / "comparison.json").read_text()
        assert model.Comparison.model_validate_json(written) == comparison
        return comparison

    return compared


Compare = Callable[..., model.Comparison]
GATE = GateLimits()


def test_two_runs_side_by_side(write: Write, compare: Compare) -> None:
    paths = [write("before"), write("after", slower=2.0)]

    comparison = compare(paths)

    assert comparison.exit_code == 0
    assert comparison.intervals_of == "requests"
    assert (comparison.rounds, comparison.warm_up_rounds) == (1, 0)
    assert [variant.report for variant in comparison.variants] == ["20261123-201500-before", "20261123-201500-after"]
    p95 = comparison.figures["latency_p95_s"]["after"]
    assert p95.change is not None
    assert p95.change.interval is not None
    assert p95.change.value == pytest.approx(2.0, rel=0.2)
    assert p95.change.interval.low < p95.change.value < p95.change.interval.high
    cpu = comparison.figures["tasks_cpu_us_per_request"]
    assert {name: measured.value for name, measured in cpu.items()} == {
        "before": pytest.approx(400.0),
        "after": pytest.approx(800.0),
    }
    assert cpu["after"].interval is None  # one run says nothing of how runs differ
    assert comparison.teardown == Teardown(complete=True, leftovers=[])


def test_without_samples_there_is_no_interval_rather_than_an_invented_one(write: Write, compare: Compare) -> None:
    paths = [write("before"), write("after", with_samples=False)]

    comparison = compare(paths)

    for figure in comparison.figures.values():
        measured = figure["after"]
        assert measured.interval is None
        assert measured.change is None or measured.change.interval is None
    p50 = comparison.figures["latency_p50_s"]
    assert p50["before"].interval is not None
    assert p50["after"].value == pytest.approx(p50["before"].value, rel=0.2)
    assert all(
        figure["after"].value is not None for name, figure in comparison.figures.items() if "balancer" not in name
    )
    assert "no intervals" in comparison.variants[1].notes[0]


def test_the_figures_of_a_report_and_of_its_samples_are_the_same(write: Write, compare: Compare) -> None:
    with_samples = write("one")
    comparison = compare([with_samples, write("two", with_samples=False, seed=0)])

    report = json.loads(with_samples.read_text())
    figures = {name: figure["one"].value for name, figure in comparison.figures.items()}
    assert figures["latency_p95_s"] == report["summary"]["latency_s"]["p95"]
    assert figures["throughput_rps"] == pytest.approx(report["summary"]["throughput_rps"])
    assert figures["error_rate"] == report["summary"]["error_rate"]
    assert figures["per_task_deviation"] == pytest.approx(report["per_task_deviation"])
    assert figures["tasks_cpu_us_per_request"] == pytest.approx(report["cpu"]["tasks"]["per_request_us"])


def test_a_slower_run_is_a_regression(write: Write, compare: Compare) -> None:
    comparison = compare([write("before"), write("after", slower=2.1)], GATE)

    assert (comparison.exit_code, comparison.verdict) == (7, "regressed")
    assert comparison.failure is not None
    assert "latency_p95_s" in comparison.failure
    assert comparison.gate is not None
    assert {judged.figure for judged in comparison.gate.judged if judged.regressed} >= {
        "latency_p50_s",
        "latency_p95_s",
    }


@pytest.mark.parametrize("slower", [0.3, 0.9, 1.0, 1.5])
def test_a_run_that_is_not_twice_as_slow_is_none(write: Write, compare: Compare, slower: float) -> None:
    comparison = compare([write("before"), write("after", slower=slower)], GATE)

    assert (comparison.exit_code, comparison.verdict) == (0, "passed")


def test_a_run_with_errors_is_a_regression_whatever_its_latency(write: Write, compare: Compare) -> None:
    comparison = compare([write("before"), write("after", slower=0.2, failed=30)], GATE)

    assert comparison.exit_code == 7
    assert (
        comparison.failure == f"worse than {comparison.variants[0].name}: error_rate of {comparison.variants[1].name}"
    )


def test_a_gate_without_samples_fails_and_says_so(write: Write, compare: Compare) -> None:
    comparison = compare([write("before", with_samples=False), write("after")], GATE)

    assert (comparison.exit_code, comparison.verdict) == (8, "incomparable")
    assert comparison.failure is not None
    assert "samples.npz" in comparison.failure
    assert comparison.gate is None


def test_a_gate_without_a_baseline_fails_and_says_so(write: Write, compare: Compare, tmp_path: Path) -> None:
    comparison = compare([tmp_path / "nowhere.json", write("after")], GATE)

    assert comparison.exit_code == 8
    assert comparison.failure == f"there is no baseline: {tmp_path / 'nowhere.json'} does not exist"
    assert comparison.figures == {}


def test_a_missing_report_is_not_called_a_baseline(write: Write, compare: Compare, tmp_path: Path) -> None:
    comparison = compare([write("before"), tmp_path / "nowhere.json"])

    assert comparison.failure == f"there is no report: {tmp_path / 'nowhere.json'} does not exist"


def test_a_name_that_no_file_can_have_is_a_report_that_cannot_be_read(
    write: Write, compare: Compare, tmp_path: Path
) -> None:
    comparison = compare([write("before"), tmp_path / ("x" * 256)])

    assert comparison.exit_code == 8
    assert comparison.failure is not None
    assert comparison.failure.endswith("cannot be read (File name too long)")


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    report = json.loads(path.read_text())
    change(report)
    path.write_text(json.dumps(report))
    return path


DIFFERENT: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "clients": (lambda parts: parts["workload"].update(clients=5), "workload.clients is 100 in"),
    "seed": (lambda parts: parts.update(seed=7), "seed is 0 in"),
    "package set": (lambda parts: parts["workload"].update(package_set="other"), "workload.package_set is 9f86 in"),
    "machine": (lambda parts: parts["machine"].update(cores=64), "machine.cores is"),
    "workload": (lambda parts: parts["workload"].update(name="mixed"), "workload.name is burst in"),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_what_must_be_equal_is_refused_by_name(write: Write, compare: Compare, case: str) -> None:
    change, mentioned = DIFFERENT[case]
    other = changed(write("after"), lambda report: change(report["fingerprint_parts"]))

    comparison = compare([write("before"), other])

    assert (comparison.exit_code, comparison.verdict) == (8, "incomparable")
    assert comparison.failure is not None
    assert mentioned in comparison.failure
    assert comparison.figures == {}


def local(limits: dict[str, object] | None) -> dict[str, object]:
    """How a report says that two tasks ran here; `None` as before there were limits."""
    unknown = {"local": None, "image": None}
    versions = dict.fromkeys(("python", "gunicorn", "gevent"), unknown)
    ran = {"tasks_run": 2, "tasks_planned": 2, "workers_per_task": 2, "versions": versions, "memory": []}
    return {**ran, "differences": [], **({} if limits is None else {"limits": limits})}


def test_runs_under_different_limits_are_refused(write: Write, compare: Compare) -> None:
    off: dict[str, object] = {"memory": False, "cpu_shares": False, "vcpus_per_instance": None, "not_enforced": ["off"]}
    before = changed(write("before"), lambda report: report.update(local=local(None)))
    same = changed(write("same"), lambda report: report.update(local=local(off)))
    other = changed(write("other"), lambda report: report.update(local=local({**off, "memory": True})))

    assert compare([before, same]).exit_code == 0
    comparison = compare([before, other])
    assert comparison.exit_code == 8
    assert comparison.failure is not None
    assert "local.limits.memory is False in" in comparison.failure


UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "an empty file": (lambda path: path.write_text("\n"), "report.json is empty: measure again"),
    "no JSON": (lambda path: path.write_text("{"), "report.json is not JSON: "),
    "another JSON": (lambda path: path.write_text("{}"), "but not a report: it has no field schema_version"),
    "a list": (lambda path: path.write_text("[1]"), "but not a report: it has no field schema_version"),
    "bytes": (lambda path: path.write_bytes(b"\xff\xfe"), "is not UTF-8 text, so it is not a report.json"),
    "a later schema": (
        lambda path: changed(path, lambda report: report.update(schema_version=2)),
        "has schema_version 2 and this program reads 1: ",
    ),
    "a missing field": (
        lambda path: changed(path, lambda report: report["summary"].pop("requests")),
        "is not a report of schema_version 1: field summary.requests: Field required",
    ),
    "a value of another type": (
        lambda path: changed(path, lambda report: report["run"].update(seed="x")),
        "is not a report of schema_version 1: field run.seed: Input should be a valid integer",
    ),
    "an interrupted run": (
        lambda path: changed(path, lambda report: report.update(exit_code=130, verdict="interrupted")),
        "ended as interrupted",
    ),
    "an untrustworthy run": (
        lambda path: changed(path, lambda report: report.update(exit_code=6, verdict="untrustworthy")),
        "ended as untrustworthy",
    ),
    "a run that sent nothing": (lambda path: changed(path, lambda report: report.update(summary=None)), "no requests"),
    "samples that are none": (lambda path: path.with_name("samples.npz").write_bytes(b"?"), "samples.npz is damaged"),
    "samples cut short": (
        lambda path: path.with_name("samples.npz").write_bytes(path.with_name("samples.npz").read_bytes()[:500]),
        "samples.npz is damaged",
    ),
    "samples of another run": (
        lambda path: samples_of(np.ones(7)).save(path.with_name("samples.npz")),
        "they are of two runs",
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_what_cannot_be_compared_is_one_sentence(write: Write, compare: Compare, case: str) -> None:
    spoil, mentioned = UNUSABLE[case]
    other = write("after")
    spoil(other)

    comparison = compare([write("before"), other])

    assert comparison.exit_code == 8
    assert comparison.failure is not None
    assert mentioned in comparison.failure
    assert str(other.parent) in comparison.failure


def test_fields_that_a_later_version_added_are_ignored(write: Write, compare: Compare) -> None:
    def add(report: dict[str, Any]) -> None:
        for part in (report, report["run"], report["summary"], report["fingerprint_parts"]["machine"]):
            part["added_later"] = {"value": 1}

    comparison = compare([write("before"), changed(write("after"), add)])

    assert (comparison.exit_code, comparison.failure) == (0, None)


def test_a_results_folder_stands_for_its_report(write: Write, compare: Compare) -> None:
    before, after = write("before"), write("after")

    comparison = compare([before.parent, after.parent])

    assert [variant.name for variant in comparison.variants] == ["before", "after"]
    assert [variant.notes for variant in comparison.variants] == [[f"Read from {before}."], [f"Read from {after}."]]


def test_reports_whose_folders_have_the_same_name_are_told_apart_by_their_paths(
    write: Write, compare: Compare, tmp_path: Path
) -> None:
    before = write("before")
    copied = shutil.copytree(before.parent, tmp_path / "copies" / "before") / "report.json"

    comparison = compare([before, copied])

    assert [variant.name for variant in comparison.variants] == [str(before), str(copied)]


def test_a_report_of_an_earlier_version_is_read(compare: Compare, tmp_path: Path) -> None:
    """The file was written before a report had a `machine` of its own."""
    earlier = [tmp_path / name for name in ("one", "two")]
    for folder in earlier:
        folder.mkdir()
        shutil.copy(Path(__file__).with_name("earlier_report.json"), folder / "report.json")

    comparison = compare(earlier)

    assert (comparison.exit_code, comparison.failure) == (0, None)
    assert comparison.figures["latency_p95_s"]["two"].value == pytest.approx(0.0283, abs=0.0001)
    assert comparison.variants[0].tasks_run == 2


def test_a_report_is_not_compared_with_itself(write: Write) -> None:
    report = write("before")
    with pytest.raises(UsageError, match="is given twice"):
        ReportComparison([report, report.parent], None)


def test_more_than_two_are_held_against_the_first(write: Write, compare: Compare) -> None:
    paths = [write("before"), write("after"), write("much-later", slower=3.0)]

    comparison = compare(paths, GATE)

    assert comparison.exit_code == 7
    assert comparison.failure is not None
    assert "of much-later" in comparison.failure
    assert "of after" not in comparison.failure


def test_the_command_prints_the_table_and_exits_with_the_verdict(write: Write, bench: Bench) -> None:
    before, after = write("before"), write("after", slower=2.0)

    status, output, _ = bench.run("compare", str(before), str(after), "--fail-on-regression")
    assert status == 7
    assert "latency p95, s" in output
    assert "of requests only" in output
    assert "failed: worse than" in output
    (folder,) = bench.results.iterdir()
    assert {path.name for path in folder.iterdir()} == {"comparison.json", "comparison.md"}
    assert "**worse**" in (folder / "comparison.md").read_text()

    forgiving = ("--fail-on-regression", "--least-change", "5")
    status, output, _ = bench.run("compare", str(before), str(after), *forgiving, "--quiet")
    assert (status, output) == (0, "passed\n")


def test_the_command_refuses_in_one_sentence(write: Write, bench: Bench) -> None:
    status, output, errors = bench.run("compare", str(write("before")), str(write("after", clients=7)))

    assert status == 8
    assert "workload.clients is 100 in" in output
    assert "Traceback" not in output + errors
