"""Observation of a stack on AWS during one load."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.deployment import TaskFailures
from bench.deployment.aws.observe.absence import Absence, attempt
from bench.deployment.aws.observe.cloudwatch_metrics import Scope
from bench.deployment.aws.observe.failures import failures_of
from bench.deployment.aws.observe.handles import StackHandles
from bench.deployment.aws.observe.host_sampler.run_command import RunCommand
from bench.deployment.aws.observe.host_sampler.sampler import INTERVAL_S, fetch_samples, remove_sampler, start_sampler
from bench.deployment.aws.observe.host_sampler.series import host_series, nfs_notes, oom_kills, read_texts
from bench.deployment.aws.observe.instances import cluster_instances
from bench.deployment.aws.observe.metric_data import LoadTime, Subjects, queries
from bench.deployment.aws.observe.metric_series import cloudwatch_series
from bench.deployment.aws.observe.points import best_of_each, series_of
from bench.deployment.aws.observe.settled import ask_until_settled
from bench.deployment.aws.observe.tasks import running_tasks, stopped_tasks
from bench.deployment.aws.session import AwsSession
from bench.deployment.observe.series import Series

_NO_TASK = Absence("no task of the service ran")
_NO_INSTANCE = Absence("no instance was registered with the cluster")
_LATE = Absence("the instance joined the cluster during the load")
_BY_TARGET = Absence(
    "the balancer has no metric of requests by target; per_task counts them by the X-Served-By of each answer"
)
_OWN_NETWORKS = Absence("each task has a network namespace of its own, whose sockets the instance does not count")
_NEVER_THERE = (
    series_of("task_requests", "task", "CloudWatch AWS/ApplicationELB", "1/s", 60, _BY_TARGET),
    series_of("open_sockets", "instance", "/proc/net/sockstat", "count", INTERVAL_S, _OWN_NETWORKS),
)


@dataclass
class AwsObservation:
    """What AWS and the instances say of a load; complete once `observed` is left without an exception."""

    series: list[Series] = field(default_factory=list)
    failures: TaskFailures = field(default_factory=TaskFailures)
    notes: list[str] = field(default_factory=list)
    """Sentences: how long metrics were waited for, NFS operations, and what could not be looked at."""


@contextmanager
def observed(
    session: AwsSession,
    handles: StackHandles,
    *,
    limit_s: float = 7200.0,
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[AwsObservation]:
    """Observe a load. Leaving the context takes minutes, for metrics come late; after an exception it does not wait.

    Args:
        limit_s: when the samplers end by themselves, should this process be killed; a longer load is sampled so far.
        wall_clock: seconds since 1970.
    """
    commands, observation = RunCommand(session, clock, sleep), AwsObservation()
    before = _subjects(session, handles)
    started: dict[str, Absence | None] = {}
    try:
        if not isinstance(before["instance"], Absence):
            started |= start_sampler(commands, list(before["instance"]), limit_s)
        start_s = wall_clock()
        yield observation
        load = LoadTime(start_s, wall_clock())
        texts = fetch_samples(commands, started)
    finally:
        remove_sampler(commands, started)
    subjects = _known_at_either(before, _subjects(session, handles))
    samples = read_texts({**texts, **_without_sampler(subjects["instance"], started)})
    settled = ask_until_settled(session, queries(handles, subjects), load, clock=clock, sleep=sleep)
    found = [*host_series(samples), *cloudwatch_series(handles, subjects, settled), *_NEVER_THERE]
    observation.series = best_of_each(found)
    stops = attempt("ecs", stopped_tasks, session, handles, start_s)
    observation.notes += [str(settled), *nfs_notes(samples)]
    if isinstance(stops, Absence):
        observation.notes.append(f"whether tasks stopped is not known: {stops.reason}")
    observation.failures = failures_of([] if isinstance(stops, Absence) else stops, oom_kills(samples))


def _subjects(session: AwsSession, handles: StackHandles) -> Subjects:
    """What there is a series each of, at this moment."""
    tasks = attempt("ecs", running_tasks, session, handles)
    instances = attempt("ecs", cluster_instances, session, handles)
    return {
        "service": {"": "service"},
        "balancer": {"": "balancer"},
        "file system": {"": "file system"},
        "task": tasks if isinstance(tasks, Absence) else {one.id: one.name for one in tasks} or _NO_TASK,
        "instance": instances
        if isinstance(instances, Absence)
        else {one.id: one.id for one in instances} or _NO_INSTANCE,
    }


def _known_at_either(before: Subjects, after: Subjects) -> Subjects:
    """Tasks and instances come and go during a load."""
    both: dict[Scope, Mapping[str, str] | Absence] = {}
    for scope, earlier in before.items():
        later = after[scope]
        if isinstance(earlier, Absence) or isinstance(later, Absence):
            both[scope] = later if isinstance(earlier, Absence) else earlier
        else:
            both[scope] = {**earlier, **later}
    return both


def _without_sampler(
    instances: Mapping[str, str] | Absence, started: Mapping[str, Absence | None]
) -> dict[str, str | Absence]:
    if isinstance(instances, Absence):
        return {"instance": instances}
    return {one: _LATE for one in instances if one not in started}
