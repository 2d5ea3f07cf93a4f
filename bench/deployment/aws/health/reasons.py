"""Reasons why a stack is not healthy: what each service of AWS says of it, the most telling first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bench.deployment.aws.health.scaling import failed_launches, scaling_activities
from bench.deployment.aws.observe.absence import Absence, attempt
from bench.deployment.aws.observe.handles import StackHandles
from bench.deployment.aws.observe.snapshot import target_states
from bench.deployment.aws.observe.tasks import EcsTask, StoppedTask, running_tasks, stopped_tasks
from bench.deployment.aws.session import AwsSession
from sizing.counted import counted

_LOG_LINES, _LOGS_SHOWN, _SHOWN = 20, 2, 20
# Events of a service that goes its usual way.
_USUAL_EVENTS = ("steady state", "has started", "registered", "begun draining", "deployment completed")
# Of a target that registers or leaves, the state says nothing.
_TELLING_STATES = ("unhealthy", "unavailable", "unused")


@dataclass(frozen=True)
class Diagnosis:
    """Why a stack is not healthy."""

    reason: str
    """The reasons in short, the most telling first; empty where nobody gives one."""
    details: tuple[str, ...]
    """Lines: all that AWS says, by source."""


@dataclass(frozen=True)
class _SourceSays:
    lines: Sequence[str]
    telling: str = ""
    """The reason in short; empty where the source gives none."""


def diagnose(session: AwsSession, handles: StackHandles, since_unix_s: float) -> Diagnosis:
    """Ask every source; one that refuses or fails says so in the details.

    Args:
        since_unix_s: what was before is no reason.
    """
    stops = attempt("ecs", stopped_tasks, session, handles, since_unix_s)
    findings = {
        # Without instances there are no tasks, and without tasks no targets.
        "scaling activities": attempt("autoscaling", _scaling, session, handles, since_unix_s),
        "stopped tasks": stops if isinstance(stops, Absence) else _stops(stops),
        "container log": attempt("logs", _logs, session, handles, stops),
        "service events": attempt("ecs", _events, session, handles),
        "targets": attempt("elasticloadbalancing", _targets, session, handles),
    }
    details: list[str] = []
    for title, finding in findings.items():
        lines = [f"not known: {finding.reason}"] if isinstance(finding, Absence) else finding.lines or ["none"]
        details += [f"{title}:", *(f"  {line}" for line in lines)]
    telling = (finding.telling for finding in findings.values() if not isinstance(finding, Absence))
    return Diagnosis("; ".join(filter(None, telling)), tuple(details))


def _scaling(session: AwsSession, handles: StackHandles, since_unix_s: float) -> _SourceSays:
    activities = scaling_activities(session, handles, since_unix_s)
    failed = failed_launches(activities)
    return _SourceSays(
        lines=[f"{one.status}: {one.description} {one.message}".rstrip() for one in activities[:_SHOWN]],
        telling=f"no instance could be launched: {failed[0].message}" if failed else "",
    )


def _stops(stops: Sequence[StoppedTask]) -> _SourceSays:
    unplanned = [stop for stop in stops if not stop.is_planned]
    reasons = Counter(f"{stop.code}: {stop.reason}" for stop in unplanned).most_common(1)
    return _SourceSays(
        lines=[str(stop) for stop in stops[:_SHOWN]],
        telling=f"{counted(len(unplanned), 'task')} stopped, {reasons[0][1]} of them with {reasons[0][0]}"
        if reasons
        else "",
    )


def _logs(session: AwsSession, handles: StackHandles, stops: list[StoppedTask] | Absence) -> _SourceSays:
    """The last lines of the containers that ended last; where none did, of containers that run."""
    ended = [] if isinstance(stops, Absence) else [one.task for one in stops if one.has_run and not one.is_planned]
    shown = (ended or running_tasks(session, handles))[:_LOGS_SHOWN]
    logs = {task: _last_lines(session, handles, task) for task in shown}
    last = next((lines[-1] for task, lines in logs.items() if task in ended and lines), "")
    return _SourceSays(
        lines=[line for task, lines in logs.items() for line in (f"task {task.id}:", *(lines or ["nothing"]))],
        telling=f"the log of one ends with {last!r}" if last else "",
    )


def _last_lines(session: AwsSession, handles: StackHandles, task: EcsTask) -> list[str]:
    logs = session.client("logs")
    try:
        events = logs.get_log_events(
            logGroupName=handles.log_group,
            logStreamName=handles.log_stream(task.id),
            limit=_LOG_LINES,
            startFromHead=False,
        )["events"]
    except logs.exceptions.ResourceNotFoundException:  # a container that never ran has no stream
        return []
    return [event["message"].rstrip() for event in events if event["message"].strip()]


def _events(session: AwsSession, handles: StackHandles) -> _SourceSays:
    """ECS keeps the last hundred, newest first."""
    services = session.client("ecs").describe_services(cluster=handles.cluster, services=[handles.service])["services"]
    events = [f"{one['createdAt']:%H:%M:%S} {one['message']}" for service in services for one in service["events"]]
    telling = (event.split(" ", 1)[1] for event in events if not any(usual in event for usual in _USUAL_EVENTS))
    return _SourceSays(lines=events[:_SHOWN], telling=next(telling, ""))


def _targets(session: AwsSession, handles: StackHandles) -> _SourceSays:
    states = Counter(target_states(session, handles)).most_common()
    telling = [f"{counted(count, 'target')} {state}" for state, count in states if state.startswith(_TELLING_STATES)]
    return _SourceSays(lines=[f"{count} {state}" for state, count in states], telling=", ".join(telling))
