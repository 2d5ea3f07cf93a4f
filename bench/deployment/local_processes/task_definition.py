"""Task as the resolved graph defines it, in the terms of its container.

Everything is read from the service, its task definition, its secrets and its hosts' user data, never from the
settings.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from bench.common.failures import UnavailableError
from bench.deployment.graph import Graph, Resource
from pypiserver_stack.hosts.user_data import decoded
from sizing import catalogue

IMAGE = "pypiserver/pypiserver:v2.4.2"
CARRIED = {
    "python": "3.10",
    "pypiserver": "2.4.2",
    "gunicorn": "20.0.4",
    "gevent": "24.11.1",
    "passlib": "1.7.4",
    "bcrypt": "3.2.0",
}
"""The versions in `IMAGE`, read from it."""
# Its software is installed in this environment, whatever digest it is pinned by.
IMAGES = re.compile(r"pypiserver/pypiserver:v[0-9.]+(@sha256:[0-9a-f]{64})?")


@dataclass(frozen=True)
class TaskSpec:
    """One task of the service, in the terms of its container."""

    image: str
    entry_point: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    """Plain variables and injected secrets."""
    container_port: int
    memory_mb: int
    """Hard limit."""
    cpu_units: int
    """1024 are one vCPU."""
    stop_timeout_s: int
    """How long after SIGTERM it may still run."""
    mounts: Mapping[PurePosixPath, PurePosixPath]
    """Container path to path below the run's folder."""
    files: Mapping[PurePosixPath, str]
    """Path below the run's folder to content: what is there before the task starts."""

    def local_path(self, container_path: PurePosixPath) -> PurePosixPath | None:
        """Where a path of the container is below the run's folder; None where nothing is mounted there."""
        return _through(self.mounts, container_path)


@dataclass(frozen=True)
class InstanceSpec:
    """Instances that the tasks of the service are placed on."""

    type: str
    vcpu_count: int | None
    """None where the catalogue does not have the type."""
    min_count: int


def read_instance(graph: Graph, service: Resource) -> InstanceSpec:
    """The instances of a service's Auto Scaling group."""
    group = _group(graph, service)
    type_ = _launch_template(graph, group).inputs["instanceType"]
    known = catalogue().get(type_)
    return InstanceSpec(type_, known.vcpu_count if known else None, group.inputs["minSize"])


def read_task(graph: Graph, service: Resource) -> TaskSpec:
    """Task of a service.

    Raises:
        UnavailableError: the graph describes something that cannot run on this machine.
    """
    definition = graph.one("aws:ecs/taskDefinition:TaskDefinition", arn=service.inputs["taskDefinition"])
    containers = json.loads(definition.inputs["containerDefinitions"])
    wanted = service.inputs["loadBalancers"][0]["containerName"]
    container = next((c for c in containers if c["name"] == wanted), None)
    if container is None or len(containers) != 1:
        raise UnavailableError(
            f"task definition {definition.name} has the containers {', '.join(c['name'] for c in containers)}; "
            f"the local run takes exactly one, {wanted!r}, which the service's load balancer names"
        )
    if not IMAGES.fullmatch(container["image"]):
        raise UnavailableError(
            f"image {container['image']!r} cannot run on this machine: only pypiserver/pypiserver is installed here"
        )
    volumes = {volume["name"]: _volume_path(graph, volume) for volume in definition.inputs.get("volumes", [])}
    mounts = {PurePosixPath(m["containerPath"]): volumes[m["sourceVolume"]] for m in container["mountPoints"]}
    environment = {
        **{entry["name"]: entry["value"] for entry in container.get("environment", ())},
        **{entry["name"]: _secret(graph, entry["valueFrom"]) for entry in container.get("secrets", ())},
    }
    return TaskSpec(
        image=container["image"],
        entry_point=tuple(container.get("entryPoint", ())),
        command=tuple(container.get("command", ())),
        environment=environment,
        container_port=service.inputs["loadBalancers"][0]["containerPort"],
        memory_mb=container["memory"],
        cpu_units=container["cpu"],
        stop_timeout_s=container.get("stopTimeout", 30),
        mounts=mounts,
        files=_users_file(graph, environment, mounts) | _host_files(graph, service),
    )


def _through(mounts: Mapping[PurePosixPath, PurePosixPath], container_path: PurePosixPath) -> PurePosixPath | None:
    for mount, local_path in mounts.items():
        if container_path.is_relative_to(mount):
            return local_path / container_path.relative_to(mount)
    return None


def _volume_path(graph: Graph, volume: Mapping[str, Any]) -> PurePosixPath:
    if host_path := volume.get("hostPath"):
        return _below_host(host_path)
    efs = volume["efsVolumeConfiguration"]
    access_point = next(
        point
        for point in graph.of_type("aws:efs/accessPoint:AccessPoint")
        if point.id == efs["authorizationConfig"]["accessPointId"]
        and point.inputs["fileSystemId"] == efs["fileSystemId"]
    )
    return PurePosixPath("efs", efs["fileSystemId"], access_point.inputs["rootDirectory"]["path"].lstrip("/"))


def _secret(graph: Graph, value_from: str) -> str:
    # arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME, then :JSON-KEY:VERSION-STAGE:VERSION-ID, each may be empty
    parts = value_from.split(":")
    arn, (json_key, _stage, version_id) = ":".join(parts[:7]), (*parts[7:], "", "", "")[:3]
    for version in graph.of_type("aws:secretsmanager/secretVersion:SecretVersion"):
        if version.inputs["secretId"] == arn and version_id in ("", version.outputs["versionId"]):
            text: str = version.inputs["secretString"]
            return str(json.loads(text)[json_key]) if json_key else text
    raise UnavailableError(f"no secret version stands behind {value_from}")


def _users_file(
    graph: Graph, environment: Mapping[str, str], mounts: Mapping[PurePosixPath, PurePosixPath]
) -> dict[PurePosixPath, str]:
    """The file of users that a person puts beside the packages: here, one with the user that the stack exports."""
    path = _through(mounts, PurePosixPath(environment.get("PYPISERVER_HTPASSWD", "")))
    if path is None:
        return {}
    secret = json.loads(graph.one("aws:secretsmanager/secretVersion:SecretVersion").inputs["secretString"])
    password = graph.one("random:index/randomPassword:RandomPassword", result=secret["password"])
    return {path: f"{secret['username']}:{password.outputs['bcryptHash']}\n"}


def _host_files(graph: Graph, service: Resource) -> dict[PurePosixPath, str]:
    """Files that the user data of the service's instances writes."""
    template = _launch_template(graph, _group(graph, service))
    cloud_config = yaml.safe_load(decoded(template.inputs["userData"]))
    return {_below_host(file["path"]): file["content"] for file in cloud_config["write_files"]}


def _group(graph: Graph, service: Resource) -> Resource:
    """The Auto Scaling group of the service's capacity provider."""
    name = service.inputs["capacityProviderStrategies"][0]["capacityProvider"]
    provider = graph.one("aws:ecs/capacityProvider:CapacityProvider", name=name)
    return graph.one(
        "aws:autoscaling/group:Group", arn=provider.inputs["autoScalingGroupProvider"]["autoScalingGroupArn"]
    )


def _launch_template(graph: Graph, group: Resource) -> Resource:
    template_id = (
        group.inputs["mixedInstancesPolicy"]["launchTemplate"]["launchTemplateSpecification"]["launchTemplateId"]
        if "mixedInstancesPolicy" in group.inputs
        else group.inputs["launchTemplate"]["id"]
    )
    return next(t for t in graph.of_type("aws:ec2/launchTemplate:LaunchTemplate") if t.id == template_id)


def _below_host(path: str) -> PurePosixPath:
    return PurePosixPath("host", path.lstrip("/"))
