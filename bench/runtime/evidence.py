"""Evidence of one load, from what the run knows of it."""

from __future__ import annotations

from bench.deployment import TaskFailures
from bench.deployment.description import Description
from bench.diagnosis.evidence import Evidence
from bench.report.model import WorkloadInfo
from bench.runtime.steps import Measurement
from pypiserver_stack.settings import read_settings


def evidence_of(
    description: Description, failures: TaskFailures, measurement: Measurement, workload: WorkloadInfo | None
) -> Evidence:
    """Everything that is known of a load that has ended."""
    observation = measurement.observation
    # The others are those of providers. Of an index that the run did not deploy none are known.
    own = {name: value for name, value in description.settings.items() if ":" not in name}
    return Evidence(
        samples=measurement.samples,
        series=observation.series,
        settings=read_settings(own) if own else None,
        plan=description.plan,
        task_count=len(description.tasks) or None,
        requests_by_task=observation.requests_by_task,
        tasks_cpu_s=observation.tasks_cpu_s,
        generator=measurement.generator,
        failures=failures,
        wheels=workload.wheels if workload is not None else None,
    )
