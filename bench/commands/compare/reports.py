"""`python -m bench compare A B`: runs that are over, from their reports and samples."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import from_json

from bench.commands.compare import model
from bench.commands.compare.build import ComparisonJob
from bench.commands.compare.sameness import require_equal
from bench.commands.compare.statistics.gate import GateLimits
from bench.commands.compare.statistics.rounds import Contender, Round
from bench.common.failures import ExitCode, IncomparableError, UsageError
from bench.deployment.description import NO_LIMITS
from bench.load.samples import Samples
from bench.report.model import CpuTime, Report, Summary
from bench.runtime.run import Run
from bench.runtime.steps import take_down
from sizing.counted import counted

FILE_NAME = "report.json"
SCHEMA_VERSION = 1
# A run that ended otherwise has figures of something else, or none.
_WITH_FIGURES = (ExitCode.PASSED, ExitCode.THRESHOLDS_MISSED, ExitCode.LEFTOVERS)


class ReportComparison(ComparisonJob):
    """Two reports or more, the first of which is the baseline."""

    def __init__(self, paths: Sequence[Path], limits: GateLimits | None) -> None:
        """
        Args:
            paths: results folders, or the files report.json in them; samples.npz is looked for beside each.

        Raises:
            UsageError: there is one only, or one is given twice.
        """
        if len(paths) < 2:
            raise UsageError(f"{paths[0]} alone is no comparison: give the baseline's folder, then the other's")
        self._paths = [_path_of(path) for path in paths]
        places = [path.resolve() for path in self._paths]
        for path, place in zip(paths, places, strict=True):
            if places.count(place) > 1:
                raise UsageError(f"{path} is given twice: a report does not differ from itself")
        super().__init__(limits=limits)

    def work(self, run: Run) -> None:
        """Read the reports, and refuse them where they differ in what must be equal."""
        run.step("read")
        (first, (baseline, _)), *others = read = [
            (path, read_report(path, "report" if number else "baseline")) for number, path in enumerate(self._paths)
        ]
        for path, (report, _) in others:
            require_equal(str(first), _must_be_equal(baseline), str(path), _must_be_equal(report))
        run.record.seed = baseline.run.seed
        run.record.workload = baseline.workload
        self.contenders = [
            _contender(name, path, *report)
            for name, (path, report) in zip(_names([path for path, _ in read]), read, strict=True)
        ]

    def down(self, run: Run) -> None:
        take_down(run)


def read_report(path: Path, what: str) -> tuple[Report, Summary]:
    """The report in a file, and its summary.

    Args:
        what: what sentences call the report, such as "baseline".

    Raises:
        IncomparableError: there is no such file, it is no report, or its run ended without figures.
    """
    report = _parsed(path, what)
    if report.exit_code not in _WITH_FIGURES or report.summary is None or not report.summary.requests:
        why = f"its run ended as {report.verdict}" if report.exit_code not in _WITH_FIGURES else "it has no requests"
        raise IncomparableError(f"the {what} {path} has no figures to compare: {why}")
    return report, report.summary


def _path_of(given: Path) -> Path:
    """The report that a path means: a results folder stands for the one in it."""
    try:
        return given / FILE_NAME if given.is_dir() else given
    except OSError:  # such as a name that is too long: reading it says so
        return given


def _parsed(path: Path, what: str) -> Report:
    """The report in a file, which is `what` to the comparison.

    Raises:
        IncomparableError: there is no such file, it is not a report, or it is one of another schema version.
    """
    text = _text(path, what)
    try:
        content = from_json(text)
    except ValueError as error:
        raise IncomparableError(f"the {what} {path} is not JSON: {error}") from error
    if not isinstance(content, dict) or "schema_version" not in content:
        raise IncomparableError(f"the {what} {path} is JSON but not a report: it has no field schema_version")
    if content["schema_version"] != SCHEMA_VERSION:
        raise IncomparableError(
            f"the {what} {path} has schema_version {content['schema_version']!r} and this program reads "
            f"{SCHEMA_VERSION}: compare with the version that wrote it, or measure again"
        )
    try:
        return Report.model_validate_json(text, extra="ignore")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise IncomparableError(
            f"the {what} {path} is not a report of schema_version {SCHEMA_VERSION}: field {field}: {first['msg']}"
        ) from error


def _text(path: Path, what: str) -> str:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise IncomparableError(f"there is no {what}: {path} does not exist") from None
    except OSError as error:
        raise IncomparableError(f"there is no {what}: {path} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise IncomparableError(f"the {what} {path} is not UTF-8 text, so it is not a {FILE_NAME}") from error
    if not text.strip():
        raise IncomparableError(f"the {what} {path} is empty: measure again")
    return text


def _must_be_equal(report: Report) -> dict[str, object]:
    """The fields that two runs must have in common; how many tasks ran decides as much as the plan."""
    local = report.local
    here = None
    if local:
        limits = (local.limits or NO_LIMITS).model_dump(exclude={"not_enforced"})
        here = {"tasks_run": local.tasks_run, "workers_per_task": local.workers_per_task, "limits": limits}
    return {**report.fingerprint_parts.model_dump(), "local": here}


def _names(paths: Sequence[Path]) -> list[str]:
    """A short name for each report, unless two would have the same: that of its results folder."""
    names = [path.resolve().parent.name if path.name == FILE_NAME else path.name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def _contender(name: str, path: Path, report: Report, summary: Summary) -> Contender:
    silent = [memory.task for memory in report.local.memory] if report.local and report.per_task else []
    per_task = dict.fromkeys(silent, 0) | report.per_task
    samples = read_samples(path, summary.requests)
    cpu_s = {side: time.cpu_s for side, time in _cpu(report).items()}
    rounds = [Round.of(samples, per_task, cpu_s)] if samples is not None else []
    variant = model.ComparedVariant(
        name=name,
        report=report.run.id,
        stack=report.stack,
        settings={},
        plan=report.plan,
        tasks_run=report.local.tasks_run if report.local else None,
        rounds=1,
        requests=summary.requests,
        failed=summary.failed,
        per_task=per_task,
        notes=[
            *([] if rounds else ["No samples.npz lies beside the report: its figures have no intervals."]),
            f"Read from {path}.",
        ],
    )
    return Contender(variant, rounds, _known(report, summary))


def read_samples(path: Path, requests: int) -> Samples | None:
    """The samples beside a report of so many requests; None where there are none.

    Raises:
        IncomparableError: they are damaged, or of another run.
    """
    beside = path.with_name("samples.npz")
    try:
        samples = Samples.load(beside)
    except FileNotFoundError:
        return None
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise IncomparableError(f"{beside} is damaged, or of another version: measure again") from error
    if len(samples) != requests:
        raise IncomparableError(
            f"{beside} has {counted(len(samples), 'request')} and {path} {requests:,}: they are of two runs"
        )
    return samples


def _cpu(report: Report) -> dict[str, CpuTime]:
    """CPU time of each side that was measured."""
    return {side: time for side, time in report.cpu.sides.items() if time is not None} if report.cpu else {}


def _known(report: Report, summary: Summary) -> dict[str, float | None]:
    """The figures that the report itself has."""
    return {
        **{f"latency_{name}_s": value for name, value in summary.latency_s or () if name != "max"},
        "throughput_rps": summary.throughput_rps,
        "error_rate": summary.error_rate,
        "per_task_deviation": report.per_task_deviation,
        **{f"{side}_cpu_us_per_request": time.per_request_us for side, time in _cpu(report).items()},
    }
