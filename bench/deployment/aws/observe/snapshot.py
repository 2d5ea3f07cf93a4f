"""State of a stack at one moment, as facts for a report: what runs where, in which versions, with how many credits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from bench.deployment.aws.observe.absence import Absence, attempt
from bench.deployment.aws.observe.handles import StackHandles
from bench.deployment.aws.observe.instances import ClusterInstance, cluster_instances
from bench.deployment.aws.observe.tasks import EcsTask, running_tasks
from bench.deployment.aws.session import AwsSession
from pypiserver_stack.tasks.server_files import FILES_VARIABLE

Fact = tuple[str, str]
"""Name and value."""

# Credits are published each minute or five, and late.
_CREDITS_SINCE = timedelta(minutes=20)


def snapshot(session: AwsSession, handles: StackHandles) -> list[Fact]:
    """The facts of a stack now. One that cannot be had says why."""
    tasks = attempt("ecs", running_tasks, session, handles)
    instances = attempt("ecs", cluster_instances, session, handles)
    facts = [
        ("targets", attempt("elasticloadbalancing", _targets, session, handles)),
        *_of_tasks(tasks, instances),
        ("server files", attempt("ecs", _server_files, session, handles, tasks)),
        *_of_instances(instances),
        ("file system", attempt("elasticfilesystem", _file_system, session, handles)),
    ]
    if handles.efs_throughput_mode == "bursting":
        facts.append(("EFS burst credits", attempt("cloudwatch", _burst_credits, session, handles)))
    if handles.cpu == "burstable":
        facts.append(("CPU credits", attempt("cloudwatch", _cpu_credits, session, instances)))
    return [(name, f"not known: {value.reason}" if isinstance(value, Absence) else value) for name, value in facts]


def target_states(session: AwsSession, handles: StackHandles) -> list[str]:
    """State of each registered target, with the reason and its description where it is not healthy."""
    answer = session.client("elbv2").describe_target_health(TargetGroupArn=handles.target_group_arn)
    states = (one["TargetHealth"] for one in answer["TargetHealthDescriptions"])
    return [": ".join(filter(None, (of["State"], of.get("Reason"), of.get("Description")))) for of in states]


def _targets(session: AwsSession, handles: StackHandles) -> str:
    return _counted(target_states(session, handles)) or "none registered"


def _of_tasks(
    tasks: list[EcsTask] | Absence, instances: list[ClusterInstance] | Absence
) -> Iterable[tuple[str, str | Absence]]:
    if isinstance(tasks, Absence):
        return [("tasks", tasks)]
    names = {} if isinstance(instances, Absence) else {one.arn: f"{one.id} in {one.zone}" for one in instances}
    return [
        ("tasks", _counted(f"on {names.get(one.instance_arn, one.zone)}" for one in tasks) or "none runs"),
        ("task definition", _counted(one.task_definition_arn.split("/")[-1] for one in tasks) or "none runs"),
        ("image", _counted(f"{one.image}@{one.image_digest or 'digest not known'}" for one in tasks) or "none runs"),
    ]


def _server_files(session: AwsSession, handles: StackHandles, tasks: list[EcsTask] | Absence) -> str | Absence:
    """Digests of the files that the running revisions carry; nothing else of their environment."""
    if isinstance(tasks, Absence):
        return tasks
    if not tasks:
        return "none runs"
    ecs = session.client("ecs")
    digests = set()
    for arn in sorted({one.task_definition_arn for one in tasks}):
        definition = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
        digests.add(_digest(definition, handles.container))
    if digests == {handles.server_files_sha256}:
        return f"sha256 {handles.server_files_sha256[:12]}, as deployed" if handles.server_files_sha256 else "none"
    return f"not those that were deployed: sha256 {', '.join(sorted(digest[:12] or 'none' for digest in digests))}"


def _digest(definition: Any, container: str) -> str:
    for one in definition["containerDefinitions"]:
        if one["name"] == container:
            for variable in one.get("environment", ()):
                if variable["name"] == FILES_VARIABLE:
                    return sha256(variable["value"].encode()).hexdigest()
    return ""


def _of_instances(instances: list[ClusterInstance] | Absence) -> Iterable[tuple[str, str | Absence]]:
    if isinstance(instances, Absence):
        return [("instances", instances)]
    return [
        ("instances", _counted(f"{one.type} in {one.zone}" for one in instances) or "none registered"),
        ("image of the instances", _counted(one.image_id for one in instances) or "none registered"),
        (
            "ECS agent and Docker",
            _counted(f"{one.agent_version} and {one.docker_version}" for one in instances) or "none registered",
        ),
    ]


def _file_system(session: AwsSession, handles: StackHandles) -> str:
    (found,) = session.client("efs").describe_file_systems(FileSystemId=handles.file_system_id)["FileSystems"]
    provisioned = found.get("ProvisionedThroughputInMibps")
    mode = f"{found['ThroughputMode']} throughput{f' of {provisioned:g} MiB/s' if provisioned else ''}"
    return f"{mode}, {found['PerformanceMode']}, {found['SizeInBytes']['Value'] / 2**20:.0f} MB metered"


def _burst_credits(session: AwsSession, handles: StackHandles) -> str:
    balance = _newest(session, "AWS/EFS", "BurstCreditBalance", "FileSystemId", handles.file_system_id)
    return "not published yet" if balance is None else f"{balance / 2**30:.0f} GB"


def _cpu_credits(session: AwsSession, instances: list[ClusterInstance] | Absence) -> str | Absence:
    if isinstance(instances, Absence):
        return instances
    balances = {one.id: _newest(session, "AWS/EC2", "CPUCreditBalance", "InstanceId", one.id) for one in instances}
    shown = (f"{one}: {'not published yet' if of is None else f'{of:.0f}'}" for one, of in balances.items())
    return ", ".join(shown) or "no instance registered"


def _newest(session: AwsSession, namespace: str, name: str, dimension: str, value: str) -> float | None:
    now = datetime.now(UTC)
    points = session.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": dimension, "Value": value}],
        StartTime=now - _CREDITS_SINCE,
        EndTime=now,
        Period=300,
        Statistics=["Minimum"],
    )["Datapoints"]
    newest = max(points, key=lambda point: point["Timestamp"], default=None)
    return None if newest is None else float(newest["Minimum"])


def _counted(names: Iterable[str]) -> str:
    """Each name with how often it is there, the most frequent first."""
    return ", ".join(f"{count} {name}" for name, count in Counter(names).most_common())
