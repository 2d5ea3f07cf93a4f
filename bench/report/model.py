"""Model of the report of `run` and `load`, from which its JSON, its schema and its layout follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from bench.common.model_part import Count, ModelPart, Positive, Seconds, Share
from bench.deployment.description import Fact, Local, Plan, Stack
from bench.diagnosis.finding import Finding
from bench.report.outcome import Machine, Outcome

Scalar = str | int | float | bool | None


class WorkloadInfo(ModelPart):
    """The workload that was sent."""

    name: str
    clients: Positive | None = Field(description="Clients that start at once; null where a request rate decides.")
    packages: Positive | None
    wheels: Positive | None = Field(description="Files of all packages.")
    package_set: str | None = Field(description="Key of the package set: equal keys are equal bytes.")
    parameters: dict[str, Scalar | list[Scalar]] = Field(description="What else shapes the load; names carry units.")


class Percentiles(ModelPart):
    """Exact, over all samples, failures included: the smallest sample that at least that share do not exceed."""

    p50: Seconds
    p95: Seconds
    p99: Seconds
    max: Seconds


class Figures(ModelPart):
    """Figures of one set of requests; a figure that no request measured is null."""

    requests: Count
    failed: Count = Field(description="No answer, a wrong one, or a status that is not success.")
    error_rate: Share | None = Field(description="failed / requests.")
    status_5xx: Count
    throughput_rps: float | None = Field(ge=0, description="requests / (last done - first due), per second.")
    latency_s: Percentiles | None = Field(description="From the moment a request was due to its last byte.")
    service_time_s: Percentiles | None = Field(description="From the moment a request was sent to its last byte.")
    work_s: Percentiles | None = Field(description="What the server says the request cost it; null where it does not.")
    queueing_s: Percentiles | None = Field(description="The rest of the service time, of the same requests.")


class Summary(Figures):
    """All requests of the run."""

    peak_in_flight: Count = Field(description="Most requests sent and not yet done at any moment.")
    received_bytes: Count
    errors_by_kind: dict[str, int] = Field(description="Failed requests by kind of error.")


class Phase(Figures):
    """The requests of one phase of the workload, such as its baseline or its bursts."""

    name: str


class Operations(ModelPart):
    """The requests by operation; one that the workload never does has 0 requests."""

    redirect: Figures
    listing: Figures
    download: Figures
    upload: Figures


class ThresholdResult(ModelPart):
    """One limit and what was seen. A threshold without samples is not passed."""

    name: str
    limit: float
    observed: float | None
    samples: Count
    passed: bool


class Loader(ModelPart):
    """One loader: a process of the load generator beside a Dask worker."""

    name: str = Field(description="Address of its worker.")
    cpu_share: float = Field(ge=0, description="CPU time / time, 1.0 is one core.")
    round_trip_s: float = Field(ge=0, description="Smallest round trip of a call through the scheduler.")
    clock_residual_s: float = Field(ge=0, description="Largest error of the times of its samples, once corrected.")


class Generator(ModelPart):
    """The health of the load generator itself."""

    cpu_share: float | None = Field(ge=0, description="CPU time / time of its busiest process, 1.0 is one core.")
    cpu_shares: list[float] = Field(description="The same of each of its processes.")
    lateness_s: Percentiles | None = Field(description="How long after it was due each request was sent.")
    loaders: list[Loader] = Field(default=[], description="Empty without --loaders.")


class CpuTime(ModelPart):
    """CPU time that the load cost one side."""

    cpu_s: float = Field(ge=0, description="CPU time of all its processes during the load, seconds.")
    per_request_us: float | None = Field(ge=0, description="The same for each request of the summary, microseconds.")


class CpuBySide(ModelPart):
    """CPU time of each side; null where this machine does not run it, or it ended."""

    tasks: CpuTime | None = Field(description="All tasks together.")
    balancer: CpuTime | None
    generator: CpuTime | None
    per_task_s: dict[str, float] = Field(description="CPU time of each task, seconds.")

    @property
    def sides(self) -> Mapping[str, CpuTime | None]:
        return {"tasks": self.tasks, "balancer": self.balancer, "generator": self.generator}


class FingerprintParts(ModelPart):
    """Fields that have to be equal before the figures of two runs may be compared."""

    workload: WorkloadInfo | None
    seed: int
    plan: Plan | None
    machine: Machine


class Report(Outcome):
    """One run of `run` or `load`, from its command line to what it left behind."""

    proved: str | None = Field(default=None, description="What it means that it is 0, in a sentence; null where not.")
    stack: Stack | None
    plan: Plan | None
    local: Local | None
    facts: list[Fact] = Field(
        default=[], description="State of a stack on AWS before the load: placement, versions, credits."
    )
    workload: WorkloadInfo | None
    thresholds: list[ThresholdResult]
    findings: list[Finding] = Field(
        default=[], description="What stood out, what explains most first; empty where nothing did."
    )
    summary: Summary | None
    phases: list[Phase]
    operations: Operations | None
    per_task: dict[str, int] = Field(description="Requests answered by each task, as its X-Served-By names it.")
    per_task_deviation: float | None = Field(
        ge=0, description="Largest |requests of a task / even share - 1|; a task that answered none has 1."
    )
    generator: Generator | None
    cpu: CpuBySide | None
    fingerprint: str = Field(description="SHA-256 of fingerprint_parts as canonical JSON, in hexadecimal.")
    fingerprint_parts: FingerprintParts

    @model_validator(mode="before")
    @classmethod
    def _with_machine(cls, values: Any) -> Any:
        """A report written before it had a `machine` of its own has it in its fingerprint."""
        match values:
            case {"fingerprint_parts": {"machine": machine}} if "machine" not in values:
                return {**values, "machine": machine}
        return values

    @property
    def success(self) -> str:
        return f"passed: {self.proved}" if self.proved else "passed"
