"""Sending a workload to an index and judging what came back: the part that `run` and `load` share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.common.failures import ExitCode
from bench.index.target import Target
from bench.load.clients import LoadSpec
from bench.load.parameters import LoadParameters
from bench.load.pool import Load, Progress
from bench.load.thresholds import judge
from bench.load.workloads import Workload
from bench.packages.factory import Wheel
from bench.report import model
from bench.runtime.progress import Progress as Console
from bench.runtime.run import Run


def prepared_uploads(load: LoadParameters, run: Run, loads: int = 1) -> tuple[Path, ...]:
    """New wheels for a workload that uploads, made before the load so that making them costs it nothing.

    Args:
        loads: how many times the workload is sent to the same index, which takes each wheel once.
    """
    needed = load.workload.uploads_needed() * loads
    if not needed:
        return ()
    return tuple(wheel.path for wheel in run.wheels(load.upload_set(needed)))


def workload_of(load: LoadParameters, wheels: Sequence[Wheel]) -> model.WorkloadInfo:
    """What is sent to an index that was filled with `wheels`, for the report."""
    return model.WorkloadInfo(
        name=load.workload.name,
        clients=load.workload.clients,
        packages=load.packages,
        wheels=len(wheels),
        package_set=load.package_set.digest(),
        parameters=load.as_dict(),
    )


def prepare_load(
    run: Run, target: Target, parameters: LoadParameters, packages: Sequence[str], uploads: Sequence[Path]
) -> Load:
    """The workload against an index, ready to be sent, with its progress shown."""
    spec = LoadSpec(
        target,
        parameters.workload,
        tuple(packages),
        tuple(uploads),
        parameters.seed,
        parameters.cookies,
        spill_dir=run.scratch.path,
    )
    return Load(
        spec,
        parameters.generators,
        on_progress=lambda progress: _show(progress, parameters.workload, run.progress),
    )


def load_and_judge(
    run: Run, target: Target, parameters: LoadParameters, packages: Sequence[str], uploads: Sequence[Path]
) -> None:
    """Send the workload and note what was measured; judge it, unless the load was cut short."""
    load = prepare_load(run, target, parameters, packages, uploads)
    try:
        run.interruptions.run(load.run())
    finally:
        result = load.result()
        run.findings.samples = result.samples
        run.findings.generator = result.generator
        run.folder.write_samples(result.samples)
    run.findings.thresholds = judge(result.samples, parameters.thresholds)
    warnings, untrustworthy = result.generator.problems()
    if untrustworthy:
        run.findings.fail(ExitCode.UNTRUSTWORTHY, "; ".join(warnings))
    else:
        run.findings.warnings += warnings


def _show(progress: Progress, workload: Workload, console: Console) -> None:
    if progress.duration_s is not None:
        console.progress(min(progress.elapsed_s, progress.duration_s), progress.duration_s)
    elif workload.total is not None:
        console.progress(progress.requests, workload.total)
