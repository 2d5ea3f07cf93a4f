"""What runs in a task: image, entry point, command, environment, mounts and limits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pulumi

from pypiserver_stack.host import FILES_ATTRIBUTE, HostFile, container_files, files_digest
from pypiserver_stack.settings import Settings
from pypiserver_stack.storage import GID, UID
from sizing.capacity import TaskPlan

IMAGE = "pypiserver/pypiserver:v2.4.2"
NAME = "pypiserver"
PORT = 8080
# Not a folder of the image: Docker would give the volume the owner of that folder, which the access point refuses.
PACKAGES_PATH = "/srv/packages"
PEER_PACKAGES_PATH = "/data/packages"
SERVER_PATH = "/opt/pypiserver"
PACKAGES_VOLUME = "packages"
STOP_TIMEOUT_S = 40

HTPASSWD_HOST_PATH = "/opt/pypiserver/htpasswd"
HTPASSWD_PATH = "/data/.htpasswd"


@dataclass(frozen=True)
class Container:
    """A container definition without what only other resources know, and the files it needs on its host."""

    definition: dict[str, Any]
    host_files: tuple[HostFile, ...]
    host_volumes: dict[str, str]
    """Volume name to host path."""

    @property
    def placement(self) -> str:
        """Which hosts can run it, in ECS's cluster query language: those that were given these very files."""
        return f"attribute:{FILES_ATTRIBUTE} == {files_digest(self.host_files)}"


def container(settings: Settings, plan: TaskPlan) -> Container:
    """The container that the settings ask for."""
    return _htpasswd_container(settings, plan) if settings.authentication == "htpasswd" else _container(settings, plan)


def _container(settings: Settings, plan: TaskPlan) -> Container:
    host_files = container_files("gunicorn.conf.py", "wsgi.py", "credentials.py")
    definition = {
        **_common(settings, plan, PACKAGES_PATH),
        # The image's own entry point would import bottle before gevent has patched anything.
        "entryPoint": ["gunicorn"],
        "command": [
            "--config",
            f"{SERVER_PATH}/gunicorn.conf.py",
            "--chdir",
            SERVER_PATH,
            "--bind",
            f"0.0.0.0:{PORT}",
            "wsgi:application",
        ],
        # Without the image's entry point nobody drops root's rights, so the task starts without them.
        "user": f"{UID}:{GID}",
    }
    definition["environment"] += [
        {"name": "PYPISERVER_BACKEND", "value": settings.backend},
        {"name": "PYPISERVER_PACKAGES", "value": PACKAGES_PATH},
    ]
    definition["mountPoints"].append({"sourceVolume": "server", "containerPath": SERVER_PATH, "readOnly": True})
    return Container(definition, host_files, {"server": str(PurePosixPath(host_files[0].path).parent)})


def _htpasswd_container(settings: Settings, plan: TaskPlan) -> Container:
    """pypiserver as the Terraform module runs it: the image's own entry point and bcrypt on every request."""
    host_files = container_files("peer.gunicorn.conf.py")
    definition = {
        **_common(settings, plan, PEER_PACKAGES_PATH),
        "command": [
            *("run", "-p", str(PORT), "--server", "gunicorn", "--backend", settings.backend),
            *("--authenticate", "download,list,update", "-P", HTPASSWD_PATH, PEER_PACKAGES_PATH),
        ],
    }
    definition["mountPoints"] += [
        {"sourceVolume": "htpasswd", "containerPath": HTPASSWD_PATH, "readOnly": True},
        # gunicorn reads it from its working directory, which the image sets to /data.
        {"sourceVolume": "gunicorn", "containerPath": "/data/gunicorn.conf.py", "readOnly": True},
    ]
    return Container(definition, host_files, {"htpasswd": HTPASSWD_HOST_PATH, "gunicorn": host_files[0].path})


def _common(settings: Settings, plan: TaskPlan, packages_path: str) -> dict[str, Any]:
    probe = f"import urllib.request as u; u.urlopen('http://127.0.0.1:{PORT}{settings.health_check_path}', timeout=4)"
    return {
        "name": NAME,
        "image": IMAGE,
        "essential": True,
        "cpu": plan.container_cpu_units,
        "memory": plan.container_memory_mb,
        "memoryReservation": plan.container_memory_reservation_mb,
        "portMappings": [{"containerPort": PORT, "hostPort": 0, "protocol": "tcp"}],
        "environment": [
            {"name": "GUNICORN_WORKERS", "value": str(plan.gunicorn_workers)},
            {"name": "GUNICORN_KEEPALIVE_S", "value": str(settings.gunicorn_keepalive_s)},
        ],
        "mountPoints": [{"sourceVolume": PACKAGES_VOLUME, "containerPath": packages_path, "readOnly": False}],
        "healthCheck": {"command": ["CMD", "python", "-c", probe], "interval": 30, "timeout": 5, "retries": 3},
        "stopTimeout": STOP_TIMEOUT_S,
    }


def with_outputs(
    container: Container,
    *,
    log_group: pulumi.Input[str],
    region: pulumi.Input[str],
    credentials: pulumi.Input[str] | None,
) -> pulumi.Output[str]:
    """The container definitions of a task as JSON.

    Args:
        credentials: what ECS injects the credentials from, in the form of a container definition's `valueFrom`.
    """
    definition = {
        **container.definition,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": log_group, "awslogs-region": region, "awslogs-stream-prefix": NAME},
        },
    }
    if credentials is not None:
        definition["secrets"] = [{"name": "PYPISERVER_CREDENTIALS", "valueFrom": credentials}]
    return pulumi.Output.json_dumps([definition])
