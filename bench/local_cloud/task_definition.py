"""From the resolved graph to what a task would run, in terms of this machine.

Everything is read from the service, its task definition, its secrets and its hosts' user data, never from the
settings. One table maps what a container sees to what is here: paths, the port, the entry point, the image. What is not
in it is an error, never a guess.
"""

from __future__ import annotations

import base64
import json
import re
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from bench.failures import UnavailableError
from bench.graph import Graph, Resource

# Entry point in the image -> the same program in this environment.
EXECUTABLES = {"gunicorn": Path(sysconfig.get_path("scripts")) / "gunicorn"}
# Images whose software is installed in this environment.
IMAGES = re.compile(r"pypiserver/pypiserver:v[0-9.]+")
_BIND = re.compile(r"(0\.0\.0\.0|\[::\]|\*)?:(?P<port>\d+)")


@dataclass(frozen=True)
class TaskSpec:
    """What one task of the service runs, in the container's own terms."""

    image: str
    entry_point: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    """Plain variables and injected secrets."""
    container_port: int
    memory_mb: int
    mounts: Mapping[PurePosixPath, PurePosixPath]
    """Container path to path below the run's folder."""
    host_files: Mapping[PurePosixPath, str]
    """Path below the run's folder to content: what user data writes on a host."""


@dataclass(frozen=True)
class LocalCommand:
    """A task's command line and environment on this machine."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]


def read_task(graph: Graph, service: Resource) -> TaskSpec:
    """What the tasks of a service run.

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
    return TaskSpec(
        image=container["image"],
        entry_point=tuple(container.get("entryPoint", ())),
        command=tuple(container.get("command", ())),
        environment={
            **{entry["name"]: entry["value"] for entry in container.get("environment", ())},
            **{entry["name"]: _secret(graph, entry["valueFrom"]) for entry in container.get("secrets", ())},
        },
        container_port=service.inputs["loadBalancers"][0]["containerPort"],
        memory_mb=container["memory"],
        mounts={PurePosixPath(m["containerPath"]): volumes[m["sourceVolume"]] for m in container["mountPoints"]},
        host_files=_host_files(graph, service),
    )


def localise(task: TaskSpec, run_folder: Path, listener: int) -> LocalCommand:
    """The task's command line here, with its paths, port and entry point mapped.

    Args:
        listener: file descriptor of the socket that stands for the container's port.

    Raises:
        UnavailableError: something in it is not in the table.
    """
    if not task.entry_point:
        raise UnavailableError(
            f"the task runs the own entry point of image {task.image}, which cannot run on this machine: "
            "set authentication to sha256"
        )
    executable = EXECUTABLES.get(task.entry_point[0])
    if executable is None:
        raise UnavailableError(f"entry point {task.entry_point[0]!r} is not one of {', '.join(EXECUTABLES)}")
    if not executable.exists():
        raise UnavailableError(f"{executable} is missing: run `make install`")
    words = [*task.entry_point[1:], *task.command]
    if not any((bind := _BIND.fullmatch(word)) and int(bind["port"]) == task.container_port for word in words):
        raise UnavailableError(
            f"no word of the task's command binds container port {task.container_port}: {' '.join(words)}"
        )
    return LocalCommand(
        argv=(str(executable), *(_map(word, task, run_folder, listener) for word in words)),
        environment={name: _map(value, task, run_folder, listener) for name, value in task.environment.items()},
    )


def _map(word: str, task: TaskSpec, run_folder: Path, listener: int) -> str:
    bind = _BIND.fullmatch(word)
    if bind and int(bind["port"]) == task.container_port:
        return f"fd://{listener}"
    if not word.startswith("/"):
        return word
    path = PurePosixPath(word)
    for container_path, local_path in task.mounts.items():
        if path.is_relative_to(container_path):
            return str(run_folder / local_path / path.relative_to(container_path))
    raise UnavailableError(f"path {word} in the task's command or environment lies on none of its mounts")


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


def _host_files(graph: Graph, service: Resource) -> dict[PurePosixPath, str]:
    """What the user data of the service's hosts writes: service -> capacity provider -> group -> launch template."""
    name = service.inputs["capacityProviderStrategies"][0]["capacityProvider"]
    provider = graph.one("aws:ecs/capacityProvider:CapacityProvider", name=name)
    group = graph.one(
        "aws:autoscaling/group:Group", arn=provider.inputs["autoScalingGroupProvider"]["autoScalingGroupArn"]
    )
    template = next(
        template
        for template in graph.of_type("aws:ec2/launchTemplate:LaunchTemplate")
        if template.id == group.inputs["launchTemplate"]["id"]
    )
    cloud_config = yaml.safe_load(base64.b64decode(template.inputs["userData"]))
    return {_below_host(file["path"]): file["content"] for file in cloud_config["write_files"]}


def _below_host(path: str) -> PurePosixPath:
    return PurePosixPath("host", path.lstrip("/"))
