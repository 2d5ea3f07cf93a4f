"""Results folders of runs that are over, without a run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bench.load.health import GeneratorHealth
from bench.load.samples import COLUMNS, Operation, Samples
from bench.report.build import RunRecord
from bench.report.formats.json import json_text
from bench.report.model import WorkloadInfo
from tests.bench.report.reports import build_report

REQUESTS = 300


def samples_of(latency_s: np.ndarray[Any, np.dtype[np.float64]], failed: int = 0) -> Samples:
    """Requests that are all due at once, answered by two tasks in turn."""
    requests = len(latency_s)
    columns: dict[str, Any] = {name: np.zeros(requests) for name in COLUMNS}
    integers = {
        "operation": np.uint8,
        "phase": np.uint8,
        "status": np.uint16,
        "received_bytes": np.int64,
        "served_by": np.uint16,
        "error": np.uint8,
    }
    columns |= {name: np.zeros(requests, dtype) for name, dtype in integers.items()}
    columns["done_s"] = columns["first_byte_s"] = latency_s
    columns["operation"][:] = Operation.LISTING
    columns["served_by"] = (np.arange(requests) % 2).astype(np.uint16)
    columns["error"][:failed] = 4
    return Samples.of(columns, ("task-1", "task-2"), ("burst",))


def write_run(
    folder: Path, *, slower: float = 1.0, failed: int = 0, seed: int = 0, clients: int = 100, with_samples: bool = True
) -> Path:
    """Write report.json, and samples.npz beside it unless told otherwise, of requests as slow as asked."""
    latency_s = np.random.default_rng(seed + len(folder.name)).gamma(4, 0.05 * slower, REQUESTS)
    samples = samples_of(latency_s, failed)
    workload = WorkloadInfo(name="burst", clients=clients, packages=3, wheels=9, package_set="9f86", parameters={})
    record = RunRecord(
        run_id=f"20261123-201500-{folder.name}",
        seed=0,
        started_at=datetime(2026, 11, 23, 20, 15, tzinfo=UTC),
        command=["python", "-m", "bench"],
        workload=workload,
        samples=samples,
        generator=GeneratorHealth.of(samples, cpu_s=[0.03], wall_s=1.0, exhausted=0),
        tasks_cpu_s={"task-1": 0.06 * slower, "task-2": 0.06 * slower},
    )
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json_text(build_report(record, datetime.now(UTC))))
    if with_samples:
        samples.save(folder / "samples.npz")
    return folder / "report.json"
