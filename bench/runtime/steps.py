"""The steps of a run, each written once: stand an index up, fill it, measure it, take it down.

What order they come in, and for how many indexes, is the commands' part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bench.common.failures import ExitCode, UnavailableError, UsageError
from bench.common.teardown import leftovers_of
from bench.deployment import IndexUnderTest, Observation
from bench.deployment.observe.metrics import FILE_NAME, MetricsFile
from bench.index.publish import publish_async
from bench.index.target import Target
from bench.load.clients import LoadSpec
from bench.load.generators.processes import Processes
from bench.load.generators.protocol import Generators
from bench.load.health import GeneratorHealth
from bench.load.parameters import LoadParameters
from bench.load.samples import Samples
from bench.load.sending import Load
from bench.packages.factory import Wheel
from bench.report import model
from bench.report.formats.json import json_text
from bench.report.outcome import Teardown
from bench.runtime.run import Run


@dataclass(frozen=True)
class Measurement:
    """Measurement of one load."""

    samples: Samples
    generator: GeneratorHealth
    observation: Observation


def stand_up(run: Run, index: IndexUnderTest) -> Target:
    """Bring an index up, and note what it is, as far as that got."""
    try:
        return index.up(run)
    except (UsageError, UnavailableError) as error:
        if not run.name:
            raise
        raise type(error)(f"{run.name}: {error}") from error
    finally:
        description = index.describe()
        run.warn(description.warnings)
        if not run.name:
            record = run.record
            record.index_url, record.stack, record.plan = description.url, description.stack, description.plan


def fill(run: Run, index: IndexUnderTest, target: Target, wheels: Sequence[Wheel]) -> None:
    """Publish the wheels to an index that takes uploads, and check that it has them."""
    concurrency = index.describe().concurrent_uploads
    if not concurrency:
        return
    run.step("publish to" if run.name else "publish")
    publisher = target.uploader or target
    run.wait_for(publish_async(publisher, wheels, concurrency=concurrency, on_progress=run.progress.progress))


def with_loaders(run: Run, load: LoadParameters) -> LoadParameters:
    """The load, with the number of workers of the user's Dask scheduler; asked for before anything is made."""
    if not isinstance(load.loaders, str):
        return load
    from bench.load.generators.dask_workers import count_workers

    run.step("loaders")
    return replace(load, generators=run.wait_for(count_workers(load.loaders)))


def prepared_uploads(run: Run, load: LoadParameters, loads: int = 1) -> tuple[Path, ...]:
    """New wheels for a workload that uploads, and is sent so many times: made before, they cost the load nothing."""
    needed = load.workload.shape.uploads * loads
    if not needed:
        return ()
    return tuple(wheel.path for wheel in run.wheels(load.upload_set(needed)))


def workload_of(load: LoadParameters, packages: int, wheels: int, package_set: str | None) -> model.WorkloadInfo:
    """Description, for the report, of the workload of an index that has so many packages and wheels."""
    return model.WorkloadInfo(
        name=load.workload.name,
        clients=load.workload.shape.clients,
        packages=packages,
        wheels=wheels,
        package_set=package_set,
        parameters=load.as_dict(),
    )


def prepare_load(
    run: Run, target: Target, load: LoadParameters, packages: Sequence[str], uploads: Sequence[Path]
) -> Load:
    """The workload against an index, ready to be sent, with its progress shown.

    Clients have the fewest rights that the workload needs.
    """
    spec = LoadSpec(
        (target.uploader if uploads else target.reader) or target,
        load.workload,
        tuple(packages),
        tuple(uploads),
        load.seed,
        load.cookies,
        spill_dir=run.scratch.path,
    )

    def show(elapsed_s: float, requests: int) -> None:
        if (duration_s := load.workload.shape.duration_s) is not None:
            run.progress.progress(min(elapsed_s, duration_s), duration_s)
        elif load.workload.total is not None:
            run.progress.progress(requests, load.workload.total)

    return Load(spec, _generators(load), on_progress=show)


def _generators(load: LoadParameters) -> Generators:
    if load.loaders is None:
        return Processes(load.generators)
    from bench.load.generators.dask_workers import DaskLoaders

    return DaskLoaders(load.generators, load.loaders if isinstance(load.loaders, str) else None)


def measure(
    run: Run,
    index: IndexUnderTest,
    target: Target,
    load: LoadParameters,
    packages: Sequence[str],
    uploads: Sequence[Path],
) -> Measurement:
    """Send the workload once while the index is observed; the samples are kept however it ends.

    What makes the figures worth nothing is noted as a failure of the run; the run goes on.
    """
    sending = prepare_load(run, target, load, packages, uploads)
    started_at = datetime.now(UTC)
    try:
        with index.observe() as observation:
            run.wait_for(sending.run())
            ended_at = datetime.now(UTC)
        _write_metrics(run, observation, started_at, ended_at)
    finally:
        result = sending.result()
        run.record.samples = result.samples
        run.record.generator = result.generator
        run.folder.write_samples(result.samples)
    warnings, untrustworthy = result.generator.problems()
    if untrustworthy:
        run.fail(ExitCode.UNTRUSTWORTHY, "; ".join(warnings))
    else:
        run.warn(warnings)
    for sentence in index.task_failures().ended:
        # Whatever else is odd about the measurement, this is why.
        run.fail_above_all(ExitCode.UNTRUSTWORTHY, f"{sentence} (it was up when the load began)")
    return Measurement(result.samples, result.generator, observation)


def _write_metrics(run: Run, observation: Observation, started_at: datetime, ended_at: datetime) -> None:
    metrics = MetricsFile(
        schema_version=1,
        run_id=run.record.run_id,
        load_started_at=started_at,
        load_ended_at=ended_at,
        sampling_cpu_s=observation.sampling_cpu_s,
        series=observation.series,
    )
    run.folder.write_text(FILE_NAME, json_text(metrics))


def take_down(run: Run, *removals: Callable[[], Sequence[str]]) -> None:
    """Remove what the run made, its scratch folder last, and note what remains. Does not raise."""
    leftovers = leftovers_of(*removals, run.scratch.remove)
    run.record.teardown = Teardown(complete=not leftovers, leftovers=list(leftovers))
