"""A run small enough to compute by hand: ten requests, two of them failed, by two tasks in two phases."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from bench.deployment.description import Local, Stack, TaskMemory, VersionPair, Versions
from bench.index.errors import ErrorKind
from bench.load.health import GeneratorHealth, LoaderLink
from bench.load.samples import Operation, Samples
from bench.load.thresholds import DEFAULTS, Threshold
from bench.report.build import RunRecord
from bench.report.figures import judge
from bench.report.model import Report, WorkloadInfo
from bench.report.outcome import Teardown
from tests.bench.report.reports import build_report
from tests.bench.tested_plan import TESTED_PLAN

STARTED_AT = datetime(2026, 11, 23, 20, 15, tzinfo=UTC)
ENDED_AT = datetime(2026, 11, 23, 20, 15, 41, tzinfo=UTC)

Row = tuple[float, float, float, Operation, int, str, str, ErrorKind]
"""Due, sent, done (seconds), operation, status, served by, phase, error."""

REDIRECT, LISTING, DOWNLOAD = Operation.REDIRECT, Operation.LISTING, Operation.DOWNLOAD
OK, STATUS, TIMEOUT = ErrorKind.NONE, ErrorKind.STATUS, ErrorKind.TIMEOUT

ROWS: tuple[Row, ...] = (
    (0.0, 0.0, 0.5, REDIRECT, 303, "task-1", "baseline", OK),
    (0.5, 0.5, 1.5, LISTING, 200, "task-1", "baseline", OK),
    (1.5, 1.5, 2.5, DOWNLOAD, 200, "task-1", "baseline", OK),
    (10.0, 10.0, 10.5, REDIRECT, 303, "task-1", "burst", OK),
    (10.0, 10.25, 11.0, REDIRECT, 303, "task-2", "burst", OK),
    (10.5, 10.5, 12.0, LISTING, 200, "task-1", "burst", OK),
    (11.0, 11.0, 13.5, LISTING, 503, "task-2", "burst", STATUS),
    (12.0, 12.0, 12.5, DOWNLOAD, 200, "task-1", "burst", OK),
    (12.0, 12.0, 16.0, DOWNLOAD, 200, "task-2", "burst", OK),
    (12.0, 12.5, 20.0, DOWNLOAD, 0, "", "burst", TIMEOUT),
)


SERVER_S = (0.125, 0.5, 0.25, 0.25, 0.5, 1.0, math.nan, 0.25, 3.0, math.nan)
"""What the tasks say that each of the requests cost them; two times they say nothing."""


def make_samples(
    rows: tuple[Row, ...] = ROWS,
    phase_names: tuple[str, ...] = ("baseline", "burst"),
    server_s: Sequence[float] | None = None,
) -> Samples:
    served_by_names = tuple(dict.fromkeys(row[5] for row in rows))
    columns: dict[str, Any] = {
        "due_s": np.array([row[0] for row in rows], np.float64),
        "sent_s": np.array([row[1] for row in rows], np.float64),
        "first_byte_s": np.array([row[2] for row in rows], np.float64),
        "done_s": np.array([row[2] for row in rows], np.float64),
        "server_s": np.full(len(rows), math.nan) if server_s is None else np.array(server_s, np.float64),
        "operation": np.array([row[3] for row in rows], np.uint8),
        "status": np.array([row[4] for row in rows], np.uint16),
        "received_bytes": np.full(len(rows), 100, np.int64),
        "served_by": np.array([served_by_names.index(row[5]) for row in rows], np.uint16),
        "phase": np.array([phase_names.index(row[6]) for row in rows], np.uint8),
        "error": np.array([row[7] for row in rows], np.uint8),
    }
    return Samples.of(columns, served_by_names, phase_names)


@pytest.fixture(scope="session")
def samples_of() -> Callable[..., Samples]:
    """Makes samples of rows."""
    return make_samples


@pytest.fixture
def samples() -> Samples:
    return make_samples(server_s=SERVER_S)


@pytest.fixture
def record(samples: Samples) -> RunRecord:
    """A local run that got to its end and missed two thresholds."""
    return RunRecord(
        run_id="20261123-201500-3f2a",
        seed=42,
        started_at=STARTED_AT,
        command=["python", "-m", "bench", "run", "--seed", "42", "-c", "instance_type=c6a.xlarge"],
        index_url="http://127.0.0.1:40123/",
        stack=Stack(name="stress", profile="tested", engine="embedded", target="local"),
        plan=TESTED_PLAN,
        local=Local(
            tasks_run=2,
            tasks_planned=12,
            workers_per_task=4,
            versions=Versions(
                python=VersionPair(local="3.11.7", image="3.10"),
                gunicorn=VersionPair(local="23.0.0", image="20.0.4"),
                gevent=VersionPair(local="25.9.1", image="24.11.1"),
            ),
            memory=[
                TaskMemory(task="task-1", peak_pss_mb=201.5, limit_mb=512, would_be_oom_killed=False),
                TaskMemory(task="task-2", peak_pss_mb=530.0, limit_mb=512, would_be_oom_killed=True),
            ],
            differences=["Packages lie on a local disk; on AWS they lie on EFS.", "Connections are not encrypted."],
        ),
        workload=WorkloadInfo(
            name="production_incident",
            clients=510,
            packages=100,
            wheels=300,
            package_set="9f86d081",
            parameters={"duration_s": 300.0, "burst_interval_s": 60.0},
        ),
        samples=samples,
        thresholds=judge(samples, [Threshold(name, limit) for name, limit in DEFAULTS.items()]),
        generator=GeneratorHealth.of(samples, cpu_s=(8.2, 6.0), wall_s=20.0, exhausted=0),
        tasks_cpu_s={"task-1": 6.0, "task-2": 3.0},
        balancer_cpu_s=0.5,
        warnings=["the load generator used 41 % of its core"],
        teardown=Teardown(complete=True, leftovers=[]),
    )


@pytest.fixture
def report_of_loaders(record: RunRecord) -> Report:
    """The same load, sent by two loaders."""
    assert record.generator is not None
    loaders = (LoaderLink("tcp://10.0.0.5:40123", 0.0012, 0.0024), LoaderLink("tcp://10.0.0.6:40123", 0.0008, 0.0016))
    record.generator = replace(record.generator, loaders=loaders)
    return build_report(record, ENDED_AT)


@pytest.fixture
def report(record: RunRecord) -> Report:
    return build_report(record, ENDED_AT)
