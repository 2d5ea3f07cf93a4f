"""The main job: up, fill, load, judge, down. `run` does it with a stack of its own, `load` with a live index."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.deployment import IndexUnderTest
from bench.diagnosis.diagnose import diagnose
from bench.index.publish import fetch_catalogue, missing_wheels
from bench.index.target import Target
from bench.load.parameters import LoadParameters
from bench.report import model
from bench.report.figures import judge
from bench.report.outcome import Teardown
from bench.runtime.evidence import evidence_of
from bench.runtime.interruption import Interrupted
from bench.runtime.keep import credentials_files, invitation
from bench.runtime.run import Run
from bench.runtime.steps import fill, measure, prepared_uploads, stand_up, take_down, with_loaders, workload_of

ShowKept = Callable[[model.Report, Sequence[str]], None]


@dataclass(frozen=True)
class Cycle:
    """One load of one index. `work` puts up and loads, `down` takes down what `work` got to."""

    index: IndexUnderTest
    load: LoadParameters
    on_kept: ShowKept | None = None
    """Shows the report of an index that is then kept up, and how it is used; None: it is not kept up."""
    fills: bool = False
    """Whether an index that was there before is given the packages that it lacks."""

    def work(self, run: Run) -> None:
        """Everything up to the verdict; where the index is kept, then wait for a signal."""
        record, index = run.record, self.index
        record.seed = self.load.seed
        load = with_loaders(run, self.load)
        target = stand_up(run, index)
        packages, uploads = self._filled(run, target, load)

        run.step("load")
        measurement = measure(run, index, target, load, packages, uploads)
        record.thresholds = judge(measurement.samples, load.thresholds)
        description, failures = index.describe(), index.task_failures()
        record.findings = diagnose(evidence_of(description, failures, measurement, record.workload))
        record.tasks_cpu_s = measurement.observation.tasks_cpu_s
        record.balancer_cpu_s = measurement.observation.balancer_cpu_s
        record.oom_kills = failures.oom_kills
        record.facts = description.facts
        if local := description.local:
            record.local = local.model_copy(update={"memory": measurement.observation.memory})
        if self.on_kept is not None:
            self._keep(run, target, self.on_kept)

    def down(self, run: Run) -> None:
        # Of a measurement that was finished they are recorded; a kept index may have had others since.
        if run.record.local is None:
            run.record.oom_kills = self.index.task_failures().oom_kills
        take_down(run, self.index.down)
        if not self.index.is_temporary and run.record.teardown == Teardown(complete=True, leftovers=[]):
            run.record.teardown = None  # nothing of the index is the run's own

    def report(self, run: Run) -> model.Report:
        return run.report()

    def _filled(self, run: Run, target: Target, load: LoadParameters) -> tuple[Sequence[str], Sequence[Path]]:
        """The names of the packages that are on the index once it is filled, and wheels for the clients to upload."""
        if self.index.is_temporary or self.fills:
            run.step("packages")
            wheels = run.wheels(load.package_set)
            uploads = prepared_uploads(run, load)
            missing = run.wait_for(missing_wheels(target, wheels)) if self.fills else wheels
            fill(run, self.index, target, missing)
            packages = sorted({wheel.name for wheel in wheels})
            run.record.workload = workload_of(load, len(packages), len(wheels), load.package_set.digest())
        else:
            files = run.wait_for(fetch_catalogue(target, load.packages))
            uploads = prepared_uploads(run, load)
            packages = sorted({file.name for file in files})
            run.record.workload = workload_of(load, len(packages), len(files), package_set=None)
        return packages, uploads

    def _keep(self, run: Run, target: Target, on_kept: ShowKept) -> None:
        credentials = credentials_files(run.scratch.path, target)
        run.progress.end_step()
        try:
            on_kept(run.report(), invitation(target.url, credentials))
            run.step("keep")
            while True:
                run.interruptions.check()
                time.sleep(0.2)
        except Interrupted:
            run.interruptions.forget()  # this is how a kept index is meant to end: the verdict stands
