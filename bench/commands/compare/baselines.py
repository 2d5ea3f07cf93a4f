"""Baselines: finished runs kept under a name, small enough to commit. docs/compare.md is the page for users.

A baseline is a results folder, `results/baseline/NAME/`, reduced to the report and to what a comparison reads of the
samples.
"""

from __future__ import annotations

import filecmp
import math
import re
from collections.abc import Sequence
from pathlib import Path

from bench.commands.compare.reports import FILE_NAME, read_report, read_samples
from bench.common.failures import IncomparableError, UsageError
from bench.report.run_folder import RunFolder

_FOLDER = "baseline"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_RUN_FOLDERS = f"{'[0-9]' * 8}-{'[0-9]' * 6}-*"
# Times that no comparison reads. They are random bits, which no compression makes smaller: half of samples.npz.
_UNUSED_TIMES = ("sent_s", "first_byte_s", "server_s", "auth_s")


def save_baseline(results: Path, name: str, run: str | None, *, replace: bool) -> Path:
    """Keep a finished run as a baseline, and return the baseline's folder.

    Args:
        run: name of its folder in `results`; None: the newest run.
        replace: whether a baseline of this name may exist already.

    Raises:
        UsageError: a name is not valid, there is no such run, or the baseline exists.
        IncomparableError: the run has no figures, or no samples.
        DiskFullError: there is no space for it.
    """
    path = _path(results, name)
    if (path / FILE_NAME).exists() and not replace:
        raise UsageError(f"the baseline {name} exists already, in {path}: choose another name, or give --replace")
    source = newest_run(results) if run is None else _run(results, run)
    _, summary = read_report(source / FILE_NAME, "run")
    samples = read_samples(source / FILE_NAME, summary.requests)
    if samples is None:
        raise IncomparableError(
            f"the run {source} has no samples.npz, which the intervals of a comparison are made of: measure again"
        )
    for column in _UNUSED_TIMES:
        samples.rows[column] = math.nan
    report = (source / FILE_NAME).read_text("utf-8")
    folder = RunFolder(results).part(_FOLDER).part(name)
    # The report comes last, and an old one goes first: samples of one run never lie beside the report of another.
    (folder.path / FILE_NAME).unlink(missing_ok=True)
    folder.write_samples(samples)
    folder.write_text(FILE_NAME, report)
    return folder.path


def with_baseline(results: Path, name: str, reports: Sequence[Path]) -> tuple[Path, ...]:
    """The folder of a baseline and the reports to compare with it: those given, or else that of the newest run.

    Raises:
        UsageError: there is no such baseline, no run, or none since the one that was saved.
    """
    baseline = _path(results, name)
    if not (baseline / FILE_NAME).is_file():
        known = ", ".join(sorted(path.parent.name for path in baseline.parent.glob(f"*/{FILE_NAME}")))
        way_out = f"the saved ones are {known}" if known else f"save one with `python -m bench baseline save {name}`"
        raise UsageError(f"there is no baseline {name} in {baseline.parent}: {way_out}")
    if reports:
        return (baseline, *reports)
    newest = newest_run(results)
    if filecmp.cmp(baseline / FILE_NAME, newest / FILE_NAME, shallow=False):
        raise UsageError(
            f"the newest run, {newest}, is the one that the baseline {name} was saved from: run `python -m bench` "
            "again, or name the report to compare"
        )
    return baseline, newest


def newest_run(results: Path) -> Path:
    """The folder of the run that started last, of those that have a report.

    Raises:
        UsageError: there is none.
    """
    reports = [*results.glob(f"{_RUN_FOLDERS}/{FILE_NAME}")]
    if not reports:
        raise UsageError(f"no run in {results} has a {FILE_NAME}: run `python -m bench`, or point --results elsewhere")
    return max(reports).parent


def _run(results: Path, run: str) -> Path:
    _require_name("run", run)
    if not (results / run / FILE_NAME).is_file():
        raise UsageError(f"--run {run}: {results / run / FILE_NAME} does not exist: name the folder of a finished run")
    return results / run


def _path(results: Path, name: str) -> Path:
    _require_name("baseline", name)
    return results / _FOLDER / name


def _require_name(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a {what}: use at most 100 letters, digits, dots, dashes and underscores, "
            "of which the first is a letter or a digit"
        )
