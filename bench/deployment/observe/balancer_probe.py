"""Requests, errors and connections of the local balancer, and the health of its targets."""

from __future__ import annotations

from collections.abc import Sequence

from bench.deployment.local_processes.reconcile import LocalStack
from bench.deployment.observe.collector import Collector, Instrument
from bench.deployment.observe.sampler import Probe

_SUBJECT = "balancer"


def balancer_probe(processes: LocalStack, period_s: float) -> Probe:
    """The balancer of a stack, and what it knows of each task."""
    tasks, balancer = tuple(processes.tasks), processes.balancer
    instruments = (
        Instrument("balancer_requests", _SUBJECT, "1/s", "Envoy downstream_rq_total", is_counter=True),
        Instrument("balancer_5xx", _SUBJECT, "1/s", "Envoy 5xx that no target sent", is_counter=True),
        Instrument("target_5xx", _SUBJECT, "1/s", "Envoy 5xx that a target sent", is_counter=True),
        Instrument("balancer_rejected_connections", _SUBJECT, "1/s", "Envoy downstream_cx_overflow", is_counter=True),
        Instrument("balancer_active_connections", _SUBJECT, "count", "Envoy downstream_cx_active"),
        Instrument("healthy_targets", _SUBJECT, "count", "Envoy health_status of the targets"),
        *(Instrument("task_requests", task.id, "1/s", "Envoy rq_total of the target", True) for task in tasks),
    )

    def read() -> Sequence[float]:
        counters, targets = balancer.counters(), balancer.targets()
        return (
            counters.requests,
            counters.own_5xx,
            counters.target_5xx,
            counters.rejected_connections,
            counters.active_connections,
            sum(target.healthy for target in targets.values()),
            *(targets[task.port].requests if task.port in targets else 0 for task in tasks),
        )

    return Probe(Collector(instruments, period_s), read)
