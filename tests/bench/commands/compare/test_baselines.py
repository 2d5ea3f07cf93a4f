"""Baselines from the command line: what is saved, what it is compared with, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.load.samples import COLUMNS, Samples
from tests.bench.command_line import ROOT, Bench, InProcessBench
from tests.bench.commands.compare.finished_run import samples_of, write_run

FIRST, SECOND, THIRD = (f"20261123-20150{number}-3f2a" for number in range(3))


def comparison(bench: Bench, *options: str) -> dict[str, Any]:
    """The comparison that a command line leaves."""
    before = set(bench.results.iterdir())
    bench.run("compare", *options)
    (folder,) = set(bench.results.iterdir()) - before
    result: dict[str, Any] = json.loads((folder / "comparison.json").read_text())
    shutil.rmtree(folder)
    return result


def refusal(bench: Bench, *options: str) -> str:
    """The sentence with which a command line is refused, before anything is written."""
    before = set(bench.results.rglob("*"))
    status, output, errors = bench.run(*options)
    assert (status, output) == (2, "")
    assert set(bench.results.rglob("*")) == before
    return errors


def test_a_baseline_says_of_a_run_exactly_what_its_results_folder_says(in_process_bench: InProcessBench) -> None:
    results = in_process_bench.results
    write_run(results / FIRST, failed=3)
    # No comparison: the folder of one has no report.json.
    (results / "20261123-201509-ffff").mkdir()
    status, output, _ = in_process_bench.run("baseline", "save", "main")
    assert (status, output) == (0, f"{results / 'baseline' / 'main'}: {_size_kb(results / 'baseline' / 'main')} KB\n")
    write_run(results / SECOND, slower=2.0, seed=1)

    with_baseline = comparison(in_process_bench, "--baseline", "main")
    with_folder = comparison(in_process_bench, str(results / FIRST), str(results / SECOND))

    assert [variant["name"] for variant in with_baseline["variants"]] == ["main", SECOND]
    assert with_baseline["exit_code"] == 0
    for figure, values in with_folder["figures"].items():
        assert list(with_baseline["figures"][figure].values()) == list(values.values())
    assert with_baseline["figures"]["latency_p95_s"]["main"]["interval"] is not None


def _size_kb(folder: Path) -> int:
    return round(sum(path.stat().st_size for path in folder.iterdir()) / 1000)


def test_a_baseline_holds_the_report_as_it_is_and_half_of_the_samples(in_process_bench: InProcessBench) -> None:
    """And nothing else of the run, whose other files are large, or tell more of the deployment."""
    run = in_process_bench.results / FIRST
    write_run(run)
    random = np.random.default_rng(0)
    samples = samples_of(random.gamma(4, 0.05, 1530))
    for column in ("sent_s", "first_byte_s", "server_s", "auth_s"):
        samples.rows[column] = random.random(1530)
    samples.save(run / "samples.npz")
    report = json.loads((run / "report.json").read_text())
    report["summary"]["requests"] = 1530
    (run / "report.json").write_text(json.dumps(report))
    for name in ("infrastructure.json", "metrics.json", "task-1.log"):
        (run / name).write_text("{}")

    in_process_bench.run("baseline", "save", "main")

    baseline = in_process_bench.results / "baseline" / "main"
    assert {path.name for path in baseline.iterdir()} == {"report.json", "samples.npz"}
    assert (baseline / "report.json").read_bytes() == (run / "report.json").read_bytes()
    assert (baseline / "samples.npz").stat().st_size < (run / "samples.npz").stat().st_size / 2
    saved = Samples.load(baseline / "samples.npz")
    for column in COLUMNS:
        if column in ("sent_s", "first_byte_s", "server_s", "auth_s"):
            assert np.isnan(saved.rows[column]).all()
        else:
            np.testing.assert_array_equal(saved.rows[column], samples.rows[column])


def test_a_regression_from_a_baseline_is_the_exit_code(bench: Bench) -> None:
    write_run(bench.results / FIRST)
    assert bench.run("baseline", "save", "main")[0] == 0
    write_run(bench.results / SECOND, slower=3.0)

    status, output, _ = bench.run("compare", "--baseline", "main", "--fail-on-regression", "--quiet")

    assert status == 7
    assert output.startswith("failed: worse than main: ")


def test_any_run_can_be_saved_and_any_report_compared(in_process_bench: InProcessBench) -> None:
    first, second, third = (write_run(in_process_bench.results / name) for name in (FIRST, SECOND, THIRD))
    in_process_bench.run("baseline", "save", "main", "--run", SECOND)

    compared = comparison(in_process_bench, "--baseline", "main", str(first), str(third.parent))

    assert [variant["name"] for variant in compared["variants"]] == ["main", FIRST, THIRD]
    saved = in_process_bench.results / "baseline" / "main" / "report.json"
    assert saved.read_bytes() == second.read_bytes()


def test_a_baseline_is_replaced_only_on_request(in_process_bench: InProcessBench) -> None:
    write_run(in_process_bench.results / FIRST)
    in_process_bench.run("baseline", "save", "main")
    newer = write_run(in_process_bench.results / SECOND, failed=5)
    saved = in_process_bench.results / "baseline" / "main"
    before = (saved / "report.json").read_bytes()

    assert "the baseline main exists already, in " in refusal(in_process_bench, "baseline", "save", "main")
    assert (saved / "report.json").read_bytes() == before

    assert in_process_bench.run("baseline", "save", "main", "--replace")[0] == 0
    assert (saved / "report.json").read_bytes() == newer.read_bytes()
    assert Samples.load(saved / "samples.npz").failed.sum() == 5


def test_an_unknown_baseline_is_refused_with_the_saved_ones(in_process_bench: InProcessBench) -> None:
    write_run(in_process_bench.results / FIRST)
    unknown = ("compare", "--baseline", "mian")
    assert "save one with `python -m bench baseline save mian`" in refusal(in_process_bench, *unknown)
    for name in ("main", "heavy"):
        in_process_bench.run("baseline", "save", name)

    assert "there is no baseline mian in " in refusal(in_process_bench, *unknown)
    assert refusal(in_process_bench, *unknown).endswith(": the saved ones are heavy, main\n")


@pytest.mark.parametrize("name", ["", "a/b", "/a", "..", ".hidden", "a b", "a\n", "-", "x" * 101])
@pytest.mark.parametrize(
    "words", [("baseline", "save"), ("baseline", "save", "main", "--run"), ("compare", "--baseline")], ids=" ".join
)
def test_what_is_no_name_is_refused(in_process_bench: InProcessBench, words: tuple[str, ...], name: str) -> None:
    write_run(in_process_bench.results / FIRST)

    assert f"Error: {name!r} cannot be the name of a " in refusal(in_process_bench, *words, name)


def test_a_run_that_does_not_exist_is_refused(in_process_bench: InProcessBench) -> None:
    in_process_bench.results.mkdir()
    assert "has a report.json: run `python -m bench`" in refusal(in_process_bench, "baseline", "save", "main")
    write_run(in_process_bench.results / FIRST)

    sentence = refusal(in_process_bench, "baseline", "save", "main", "--run", SECOND)

    assert sentence.startswith(f"Error: --run {SECOND}: {in_process_bench.results / SECOND / 'report.json'} does not")


def test_a_run_is_not_compared_with_its_own_baseline_by_default(in_process_bench: InProcessBench) -> None:
    run = write_run(in_process_bench.results / FIRST)
    in_process_bench.run("baseline", "save", "main")

    assert "is the one that the baseline main was saved from" in refusal(
        in_process_bench, "compare", "--baseline", "main"
    )
    assert comparison(in_process_bench, "--baseline", "main", str(run))["exit_code"] == 0


@pytest.mark.parametrize("case", ["no figures", "no samples", "damaged samples"])
def test_a_run_that_cannot_be_compared_is_not_saved(in_process_bench: InProcessBench, case: str) -> None:
    path = write_run(in_process_bench.results / FIRST, with_samples=case != "no samples")
    if case == "no figures":
        report = json.loads(path.read_text())
        path.write_text(json.dumps({**report, "exit_code": 130, "verdict": "interrupted"}))
    if case == "damaged samples":
        path.with_name("samples.npz").write_bytes(b"?")

    status, output, errors = in_process_bench.run("baseline", "save", "main")

    assert (status, output) == (8, "")
    assert str(path.parent) in errors
    assert not (in_process_bench.results / "baseline").exists()


def test_stacks_are_not_compared_with_a_baseline(in_process_bench: InProcessBench) -> None:
    write_run(in_process_bench.results / FIRST)
    in_process_bench.run("baseline", "save", "main")
    write_run(in_process_bench.results / SECOND, seed=1)

    sentence = refusal(in_process_bench, "compare", "--baseline", "main", "--stacks", "peer,stress")

    assert "--stacks changes nothing where reports are compared" in sentence


def test_git_ignores_runs_and_not_baselines(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".gitignore", tmp_path)
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    paths = [f"results/{FIRST}/report.json", "results/baseline/main/report.json", "results/baseline/main/samples.npz"]

    ignored = subprocess.run(["git", "check-ignore", *paths], cwd=tmp_path, stdout=subprocess.PIPE, text=True)

    assert ignored.stdout.split() == paths[:1]
