"""Waiting until a stack is healthy, with the reason where it does not become so."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.common.failures import UnavailableError
from bench.deployment.aws.health.reasons import diagnose
from bench.deployment.aws.health.scaling import lasting_failure, scaling_activities
from bench.deployment.aws.health.status import HealthStatus, health_status
from bench.deployment.aws.observe.absence import Absence, attempt
from bench.deployment.aws.observe.handles import StackHandles
from bench.deployment.aws.session import AwsSession

DETAILS_FILE = "health.txt"
"""Name in the results folder of the file that holds the details of an `UnhealthyStackError`."""
_POLL_S = 5.0


class UnhealthyStackError(UnavailableError):
    """A stack on AWS that did not become healthy."""

    def __init__(self, message: str, details: tuple[str, ...]) -> None:
        super().__init__(message)
        self.details = details
        """Lines: what each service of AWS says, for a file."""


def wait_until_healthy(
    session: AwsSession,
    handles: StackHandles,
    report: Callable[[str], object],
    *,
    since_unix_s: float,
    timeout_s: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Wait until instances, tasks and targets are all there; ends early where they will not be.

    Args:
        report: is given what is still missing, whenever it changes.
        since_unix_s: when the deployment began; what AWS says of the time before is no reason.

    Raises:
        UnhealthyStackError: it did not become healthy; the sentence says why.
        UnavailableError: AWS does not say how far it is.
    """
    start_s, reported = clock(), ""
    while True:
        status = health_status(session, handles)
        if status.is_healthy and not status.hopeless:
            return
        if str(status) != reported:
            reported = str(status)
            report(reported)
        if cause := status.hopeless or _lasting_failure(session, handles, status, since_unix_s):
            raise _unhealthy(session, handles, since_unix_s, cause)
        if (waited_s := clock() - start_s) >= timeout_s:
            raise _unhealthy(session, handles, since_unix_s, f"after {waited_s:.0f} s it waits for {status}")
        sleep(_POLL_S)


def _lasting_failure(session: AwsSession, handles: StackHandles, status: HealthStatus, since_unix_s: float) -> str:
    if status.instances_registered >= status.instances_wanted:
        return ""
    activities = attempt("autoscaling", scaling_activities, session, handles, since_unix_s)
    failure = "" if isinstance(activities, Absence) else lasting_failure(activities)
    return f"instances registered {status.instances_registered} of {status.instances_wanted}" if failure else ""


def _unhealthy(session: AwsSession, handles: StackHandles, since_unix_s: float, cause: str) -> UnhealthyStackError:
    diagnosis = diagnose(session, handles, since_unix_s)
    reason = diagnosis.reason or "AWS gives no reason"
    return UnhealthyStackError(
        f"the stack does not become healthy: {cause}: {reason}: remove the cause and run again; {DETAILS_FILE} in the "
        "results folder has all that AWS says",
        diagnosis.details,
    )
