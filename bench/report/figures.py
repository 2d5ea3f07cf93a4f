"""Summaries of requests: counts, rates, exact percentiles, and the thresholds that they meet or miss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from bench.common.natural_order import natural_order
from bench.index.errors import ErrorKind
from bench.load.samples import Operation, Samples, percentile
from bench.load.thresholds import FIGURES, Threshold
from bench.report.model import Figures, Operations, Percentiles, Phase, Summary, ThresholdResult


def figures(samples: Samples) -> Figures:
    """Counts, rates and latencies of `samples`, failures included."""
    requests, failed = len(samples), int(samples.failed.sum())
    # Where the server does not say, this is nan and compares as false; more than there was time for cannot be.
    known = samples.where(samples.server_s <= samples.service_time_s)
    return Figures(
        requests=requests,
        failed=failed,
        error_rate=failed / requests if requests else None,
        status_5xx=int((samples.status >= 500).sum()),
        throughput_rps=_throughput_rps(samples),
        latency_s=percentiles(samples.latency_s),
        service_time_s=percentiles(samples.service_time_s),
        work_s=percentiles(known.server_s),
        queueing_s=percentiles(known.service_time_s - known.server_s),
    )


def summary(samples: Samples) -> Summary:
    """The figures of all requests together, and what is only known of them together."""
    errors, counts = np.unique(samples.error[samples.failed], return_counts=True)
    return Summary(
        **dict(figures(samples)),
        peak_in_flight=_peak_in_flight(samples),
        received_bytes=int(samples.received_bytes.sum()),
        errors_by_kind={
            ErrorKind(error).name.lower(): count for error, count in zip(errors.tolist(), counts.tolist(), strict=True)
        },
    )


def phases(samples: Samples) -> list[Phase]:
    """The figures of each phase, in the order of the workload."""
    return [
        Phase(name=name, **dict(figures(samples.where(samples.phase == index))))
        for index, name in enumerate(samples.phase_names)
    ]


def operations(samples: Samples) -> Operations:
    """The figures of each operation."""
    return Operations(
        **{
            operation.name.lower(): figures(samples.where(samples.operation == operation.value))
            for operation in Operation
        }
    )


def per_task(samples: Samples) -> dict[str, int]:
    """Requests answered by each task. One that no task answered, or by a server that does not say, is in none.

    No redirect is: it is public, and public answers of this project's server do not name their task.
    """
    samples = samples.where(samples.operation != Operation.REDIRECT.value)
    counts = np.bincount(samples.served_by, minlength=len(samples.served_by_names)).tolist()
    requests = {name: count for name, count in zip(samples.served_by_names, counts, strict=True) if name and count}
    return {name: requests[name] for name in sorted(requests, key=natural_order)}


def deviation(per_task: Mapping[str, int], tasks: int) -> float | None:
    """Largest distance of one of the `tasks` from an even share of the requests: 0 is even, 1 is none at all."""
    if not per_task:
        return None
    counts = [*per_task.values(), *[0] * (tasks - len(per_task))]
    even_share = sum(counts) / len(counts)
    return max(abs(count / even_share - 1) for count in counts)


def percentiles(values: NDArray[np.float64]) -> Percentiles | None:
    """Exact percentiles of `values` and the largest of them; None when there are none."""
    p50, p95, p99, largest = (percentile(values, percent) for percent in (50, 95, 99, 100))
    if p50 is None or p95 is None or p99 is None or largest is None:
        return None
    return Percentiles(p50=p50, p95=p95, p99=p99, max=largest)


def judge(samples: Samples, thresholds: Iterable[Threshold]) -> list[ThresholdResult]:
    """The result of each of `thresholds`, in their order. Without samples none is passed."""
    results = []
    for threshold in thresholds:
        observed, count = FIGURES[threshold.name](samples)
        passed = observed is not None and (observed < threshold.limit or observed == threshold.limit == 0)
        results.append(
            ThresholdResult(name=threshold.name, limit=threshold.limit, observed=observed, samples=count, passed=passed)
        )
    return results


def _throughput_rps(samples: Samples) -> float | None:
    if not len(samples):
        return None
    duration_s = float(samples.done_s.max() - samples.due_s.min())
    return len(samples) / duration_s if duration_s > 0 else None


def _peak_in_flight(samples: Samples) -> int:
    """Most requests between sent and done. One that ends as another begins has ended."""
    moments = np.concatenate([samples.done_s, samples.sent_s])
    changes = np.repeat([-1, 1], len(samples))
    in_order = np.lexsort((changes, moments))
    return int(np.cumsum(changes[in_order]).max(initial=0))
