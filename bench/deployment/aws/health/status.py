"""Health of a stack at one moment: how many instances, tasks and targets there are, and what is hopeless."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bench.common.failures import UnavailableError
from bench.deployment.aws.observe.absence import Absence, attempt
from bench.deployment.aws.observe.handles import StackHandles
from bench.deployment.aws.observe.snapshot import target_states
from bench.deployment.aws.session import AwsSession
from sizing.counted import counted

T = TypeVar("T")
_Described = Mapping[str, Any]
"""As ECS describes it; empty where ECS does not know it."""


@dataclass(frozen=True)
class HealthStatus:
    """How far a stack has come up."""

    instances_registered: int
    instances_wanted: int
    tasks_running: int
    tasks_wanted: int
    tasks_failed: int
    """Tasks of the deployment that did not stay up; ECS gives it up after several."""
    targets_healthy: int
    is_rolling_out: bool
    """Whether ECS has not yet called the deployment complete."""
    hopeless: str
    """Why it can no longer become healthy by itself; empty where it can."""

    @property
    def is_healthy(self) -> bool:
        return not self.missing and not self.is_rolling_out

    @property
    def missing(self) -> str:
        """What it waits for, such as `tasks running 3 of 12`; empty where nothing is missing."""
        return ", ".join(
            f"{name} {count} of {wanted}"
            for name, count, wanted in (
                ("instances registered", self.instances_registered, self.instances_wanted),
                ("tasks running", self.tasks_running, self.tasks_wanted),
                ("targets healthy", self.targets_healthy, self.tasks_wanted),
            )
            if count < wanted
        )

    def __str__(self) -> str:
        waits_for = self.missing or ("the deployment to be complete" if self.is_rolling_out else "nothing")
        return waits_for + (f"; {counted(self.tasks_failed, 'task')} failed so far" if self.tasks_failed else "")


def health_status(session: AwsSession, handles: StackHandles) -> HealthStatus:
    """Ask AWS for the status.

    Raises:
        UnavailableError: AWS refuses, or does not answer.
    """
    cluster, service = _answered(attempt("ecs", _cluster_and_service, session, handles))
    states = _answered(attempt("elasticloadbalancing", target_states, session, handles))
    deployments = service.get("deployments", [])
    return HealthStatus(
        instances_registered=cluster.get("registeredContainerInstancesCount", 0),
        instances_wanted=handles.instance_count,
        tasks_running=service.get("runningCount", 0),
        # Scaling may want more by now; fewer than at the start are too few.
        tasks_wanted=max(service.get("desiredCount", 0), handles.task_count),
        tasks_failed=sum(one.get("failedTasks", 0) for one in deployments if one["status"] == "PRIMARY"),
        targets_healthy=states.count("healthy"),
        is_rolling_out=len(deployments) > 1 or any(one.get("rolloutState") == "IN_PROGRESS" for one in deployments),
        hopeless="; ".join(_hopeless(cluster, service, handles)),
    )


def _answered(found: T | Absence) -> T:
    if isinstance(found, Absence):
        raise UnavailableError(f"whether the stack is healthy is not known: {found.reason}")
    return found


def _cluster_and_service(session: AwsSession, handles: StackHandles) -> tuple[_Described, _Described]:
    ecs = session.client("ecs")
    clusters = ecs.describe_clusters(clusters=[handles.cluster])["clusters"]
    services = ecs.describe_services(cluster=handles.cluster, services=[handles.service])["services"]
    return clusters[0] if clusters else {}, services[0] if services else {}


def _hopeless(cluster: _Described, service: _Described, handles: StackHandles) -> Iterator[str]:
    for name, found in (("cluster", cluster), ("service", service)):
        if found.get("status") != "ACTIVE":
            yield f"the {name} is {found.get('status', 'gone')}"
    for deployment in service.get("deployments", ()):
        revision = deployment["taskDefinition"].split("/")[-1]
        if deployment.get("rolloutState") == "FAILED":
            yield f"ECS gave the deployment of {revision} up: {deployment.get('rolloutStateReason', 'no reason given')}"
        elif deployment["status"] == "PRIMARY" and deployment["taskDefinition"] != handles.task_definition_arn:
            yield f"the service runs {revision}, to which ECS has rolled the deployment back"
