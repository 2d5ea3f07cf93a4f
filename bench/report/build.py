"""Report from the record of a run.

`RunRecord` is filled in by whoever runs the cycle, as far as the run gets; `build_outcome` makes a report of it at any
time. What follows from other fields (figures, verdict, exit code, fingerprint) is derived here and nowhere else, so
that a report cannot contradict itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from bench.common.failures import ExitCode, worst
from bench.deployment.description import Fact, Local, Plan, Stack
from bench.diagnosis.finding import Finding
from bench.load.health import GeneratorHealth
from bench.load.samples import Samples
from bench.report import figures
from bench.report.machine import this_machine
from bench.report.model import (
    CpuBySide,
    CpuTime,
    FingerprintParts,
    Generator,
    Loader,
    ThresholdResult,
    WorkloadInfo,
)
from bench.report.outcome import Outcome, RunInfo, Teardown
from bench.report.redact import hide
from sizing.counted import counted

T = TypeVar("T", bound=Outcome)


@dataclass
class RunRecord:
    """What a run has got so far. None, or empty: it did not get there, or does not have it."""

    run_id: str
    seed: int
    started_at: datetime
    command: Sequence[str]
    """The command line that repeats the run."""
    index_url: str | None = None
    stack: Stack | None = None
    plan: Plan | None = None
    local: Local | None = None
    facts: Sequence[Fact] = ()
    workload: WorkloadInfo | None = None
    samples: Samples | None = None
    thresholds: Sequence[ThresholdResult] = ()
    findings: Sequence[Finding] = ()
    """Causes of what was measured."""
    generator: GeneratorHealth | None = None
    tasks_cpu_s: Mapping[str, float] = field(default_factory=dict)
    """CPU time of each task during the load."""
    balancer_cpu_s: float | None = None
    warnings: list[str] = field(default_factory=list)
    oom_kills: Sequence[str] = ()
    """A sentence for each task that had OOM kills at its own limit."""
    teardown: Teardown | None = None
    failures: dict[ExitCode, str] = field(default_factory=dict)
    """A sentence for each way in which the run failed; missed thresholds, OOM kills and leftovers are derived."""
    secrets: set[str] = field(default_factory=set)
    """Passwords that no sentence of the report may quote."""

    def fail(self, code: ExitCode, sentence: str) -> None:
        """Note a failure. The first of a kind is kept: what comes after it tends to be its consequence."""
        self.failures.setdefault(code, sentence)


class Ending(NamedTuple):
    """End of a run, in words that quote no secret."""

    exit_code: ExitCode
    failure: str | None
    """Why it is not 0."""
    warnings: list[str]
    """The failures that the exit code does not tell among them."""


def ending_of(record: RunRecord) -> Ending:
    """The end of a run, as far as it got."""
    failures = {**_evident_failures(record), **record.failures}
    exit_code = worst(set(failures))
    failure = failures.get(exit_code)
    return Ending(
        exit_code,
        hide(failure, record.secrets) if failure else None,
        [hide(warning, record.secrets) for warning in _warnings(record, failures, exit_code)],
    )


def build_outcome(kind: type[T], record: RunRecord, ended_at: datetime, **own: Any) -> T:
    """The outcome of a run as far as it got, with the fields that only its kind has."""
    ending = ending_of(record)
    return kind(
        schema_version=1,
        run=RunInfo(
            id=record.run_id,
            seed=record.seed,
            started_at=record.started_at,
            ended_at=ended_at,
            command=[hide(word, record.secrets) for word in record.command],
            index_url=hide(record.index_url, record.secrets) if record.index_url else None,
        ),
        exit_code=ending.exit_code,
        verdict=kind.verdicts.get(ending.exit_code, ending.exit_code.name.lower()),
        failure=ending.failure,
        warnings=ending.warnings,
        teardown=record.teardown,
        machine=this_machine(),
        **own,
    )


def report_fields(record: RunRecord) -> dict[str, Any]:
    """The fields that only a `Report` has."""
    samples = record.samples
    parts = FingerprintParts(workload=record.workload, seed=record.seed, plan=record.plan, machine=this_machine())
    return {
        "proved": _proved(record) if ending_of(record).exit_code is ExitCode.PASSED else None,
        "stack": record.stack,
        "plan": record.plan,
        "local": record.local,
        "facts": list(record.facts),
        "workload": record.workload,
        "thresholds": list(record.thresholds),
        "findings": [_hidden(finding, record.secrets) for finding in record.findings],
        "summary": figures.summary(samples) if samples is not None else None,
        "phases": figures.phases(samples) if samples is not None else [],
        "operations": figures.operations(samples) if samples is not None else None,
        "per_task": figures.per_task(samples) if samples is not None else {},
        "per_task_deviation": _deviation(record),
        "generator": _generator(record),
        "cpu": _cpu(record),
        "fingerprint": fingerprint(parts),
        "fingerprint_parts": parts,
    }


def _hidden(finding: Finding, secrets: Collection[str]) -> Finding:
    """Evidence may quote the log of a task."""
    return finding.model_copy(update={"evidence": [hide(line, secrets) for line in finding.evidence]})


def fingerprint(parts: FingerprintParts) -> str:
    """SHA-256 of `parts` as canonical JSON: sorted keys, no spaces, UTF-8; in hexadecimal."""
    canonical = json.dumps(parts.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _evident_failures(record: RunRecord) -> dict[ExitCode, str]:
    """Failures that follow from thresholds, OOM kills and teardown."""
    failures = {}
    missed = [threshold.name for threshold in record.thresholds if not threshold.passed]
    thresholds = f"{len(missed)} of {counted(len(record.thresholds), 'threshold')} missed: {', '.join(missed)}"
    if not_kept := [*([thresholds] if missed else []), *record.oom_kills]:
        failures[ExitCode.THRESHOLDS_MISSED] = "; ".join(not_kept)
    if record.teardown is not None and not record.teardown.complete:
        failures[ExitCode.LEFTOVERS] = f"left behind: {', '.join(record.teardown.leftovers)}"
    return failures


def _warnings(record: RunRecord, failures: Mapping[ExitCode, str], exit_code: ExitCode) -> list[str]:
    """Further failures, what ECS would have made of memory that nothing limited here, the rest."""
    others = [sentence for code, sentence in failures.items() if code != exit_code]
    killed = [
        f"task {memory.task} used {memory.peak_pss_mb:.0f} MB, above its limit of {memory.limit_mb} MB: "
        "ECS would have lost it to an OOM kill"
        for memory in (record.local.memory if record.local else ())
        if memory.would_be_oom_killed and memory.oom_kills is None
    ]
    return [*others, *killed, *record.warnings]


def _proved(record: RunRecord) -> str:
    """The proof of a passed run, and its limits."""
    local = record.local
    if local is None:
        return "the index holds this load"
    held, untested = [], "the size was not tested"
    if local.limits is not None:
        if local.limits.memory:
            held.append(f"each within its {local.memory[0].limit_mb} MB")
            untested = "the CPU of the size was not tested"
        if local.limits.vcpus_per_instance is not None:
            held.append(f"those of an instance within its {local.limits.vcpus_per_instance} vCPUs")
            untested = (
                "EFS, the network and the speed of a vCPU were not tested"
                if local.limits.memory
                else "the memory of the size was not tested"
            )
    tasks = ", ".join([f"{local.tasks_run} of {counted(local.tasks_planned, 'task')}", *held])
    return f"the server and its settings hold this load on this machine with {tasks}; {untested}"


def _deviation(record: RunRecord) -> float | None:
    """Against the tasks that ran. How many an index has that was there before is not known: those that answered."""
    if record.samples is None or (record.stack is not None and record.local is None):
        return None
    per_task = figures.per_task(record.samples)
    return figures.deviation(per_task, record.local.tasks_run if record.local else len(per_task))


def _generator(record: RunRecord) -> Generator | None:
    if record.samples is None:
        return None
    health = record.generator
    shares = list(health.cpu_shares) if health else []
    loaders = zip(health.loaders, shares, strict=True) if health and health.loaders else ()
    return Generator(
        cpu_share=max(shares, default=None),
        cpu_shares=shares,
        lateness_s=figures.percentiles(record.samples.sent_s - record.samples.due_s),
        loaders=[Loader(cpu_share=share, **asdict(link)) for link, share in loaders],
    )


def _cpu(record: RunRecord) -> CpuBySide | None:
    if record.samples is None:
        return None
    requests = len(record.samples)

    def of(cpu_s: float | None) -> CpuTime | None:
        if cpu_s is None:
            return None
        return CpuTime(cpu_s=cpu_s, per_request_us=cpu_s / requests * 1e6 if requests else None)

    tasks_s = record.tasks_cpu_s
    return CpuBySide(
        tasks=of(sum(tasks_s.values()) if tasks_s else None),
        balancer=of(record.balancer_cpu_s),
        generator=of(sum(record.generator.cpu_s) if record.generator else None),
        per_task_s=dict(tasks_s),
    )
