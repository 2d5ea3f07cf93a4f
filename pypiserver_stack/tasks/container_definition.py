"""Container definition of a task: image, entry point, command, environment, mounts and limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws

from pypiserver_stack.settings.groups.server import STOP_TIMEOUT_S, ServerSettings
from pypiserver_stack.storage.file_system import GID, UID
from pypiserver_stack.tasks.server_files import BOOTSTRAP, FILES_VARIABLE, packed
from sizing.capacity import TaskPlan

NAME = "pypiserver"
PORT = 8080
# Not a folder of the image: Docker would give the volume the owner of that folder, which the access point refuses.
PACKAGES_PATH = "/srv/packages"
PEER_PACKAGES_PATH = "/data/packages"
PACKAGES_VOLUME = "packages"
HTPASSWD_PATH = "/data/.htpasswd"
CREDENTIALS_VARIABLES = {
    "admin": "PYPISERVER_CREDENTIALS",
    "read": "PYPISERVER_READ_CREDENTIALS",
    "upload": "PYPISERVER_UPLOAD_CREDENTIALS",
}
"""Variables that ECS injects the secret of each role as."""
# Where the files of the server are unpacked.
GUNICORN_CONFIG = "pypiserver_stack/container/entry/gunicorn_config.py"
APPLICATION = "pypiserver_stack.container.entry.wsgi:application"
IMAGE_GUNICORN_CONFIG = Path(__file__).parent / "image_gunicorn_config.py"
# In memory, and counted as the container's where it is used: our files take a quarter of a megabyte.
TEMPORARY_MB = 16


@dataclass(frozen=True)
class MountedFile:
    """A file that user data writes on each host, and that the container sees under another path and cannot change."""

    volume: str
    host_path: str
    container_path: str
    content: pulumi.Input[str]


@dataclass(frozen=True)
class Container:
    """A container definition without what only other resources know, and the files it needs on its host."""

    definition: dict[str, Any]
    host_files: tuple[MountedFile, ...]
    takes_credentials: bool
    """Whether ECS injects the generated credentials."""

    @property
    def volumes(self) -> list[aws.ecs.TaskDefinitionVolumeArgsDict]:
        return [{"name": file.volume, "host_path": file.host_path} for file in self.host_files]


def container(
    settings: ServerSettings,
    plan: TaskPlan,
    htpasswd: pulumi.Input[str],
    *,
    health_check_path: str,
    shared_cache: bool,
) -> Container:
    """The container that the settings ask for.

    Args:
        htpasswd: the generated user and the bcrypt hash of the password, as a line of an htpasswd file.
        shared_cache: whether a cache that several clients share may keep package files.
    """
    host_files = []
    if settings.authentication == "bcrypt":
        host_files.append(MountedFile("htpasswd", "/opt/pypiserver/htpasswd", HTPASSWD_PATH, htpasswd))
    if settings.entry_point == "image":
        configuration = IMAGE_GUNICORN_CONFIG.read_text("utf-8")
        # gunicorn reads it from its working directory, which the image sets to /data.
        host_files.append(
            MountedFile("gunicorn", "/opt/pypiserver/gunicorn.conf.py", "/data/gunicorn.conf.py", configuration)
        )
        definition, packages_path = _image_entry_point(settings), PEER_PACKAGES_PATH
    else:
        definition, packages_path = _gunicorn_entry_point(settings, plan, shared_cache), PACKAGES_PATH
    common = _common(settings, plan, health_check_path)
    definition = {**common, **definition, "environment": common["environment"] + definition.get("environment", [])}
    definition["mountPoints"] = [
        {"sourceVolume": PACKAGES_VOLUME, "containerPath": packages_path, "readOnly": False},
        *({"sourceVolume": f.volume, "containerPath": f.container_path, "readOnly": True} for f in host_files),
    ]
    return Container(definition, tuple(host_files), takes_credentials=settings.authentication == "sha256")


def _gunicorn_entry_point(settings: ServerSettings, plan: TaskPlan, shared_cache: bool) -> dict[str, Any]:
    """Our server: the files travel in the environment, and gunicorn starts where they were unpacked."""
    htpasswd_paths = {"htpasswd": f"{PACKAGES_PATH}/.htpasswd", "bcrypt": HTPASSWD_PATH}
    variables = {
        "GUNICORN_WORKER_CONNECTIONS": str(plan.worker_connections),
        "PYPISERVER_PACKAGES": PACKAGES_PATH,
        "PYPISERVER_BACKEND": settings.backend,
        "PYPISERVER_AUTHENTICATION": settings.authentication,
        "PYPISERVER_HTPASSWD": htpasswd_paths.get(settings.authentication),
        "PYPISERVER_HTPASSWD_ROLES": json.dumps(settings.htpasswd_roles) if settings.htpasswd_roles else None,
        "PYPISERVER_UPLOAD_LIMIT_MB": str(settings.upload_limit_mb),
        "PYPISERVER_OVERWRITE": str(settings.overwrite).lower(),
        "PYPISERVER_BUILDS": str(settings.builds_allowed).lower(),
        "PYPISERVER_REMOVAL": str(settings.removal_enabled).lower(),
        "PYPISERVER_SHARED_CACHE": str(shared_cache).lower(),
        "PYPISERVER_TIMING_HEADERS": str(settings.timing_headers).lower(),
        "PYPISERVER_INDEX_MARGIN_S": str(settings.index_margin_s),
        FILES_VARIABLE: packed(),
    }
    return {
        # The image's own entry point would import bottle before gevent has patched anything.
        "entryPoint": ["python", "-c", BOOTSTRAP],
        "command": ["gunicorn", "--config", GUNICORN_CONFIG, "--bind", f"0.0.0.0:{PORT}", APPLICATION],
        # Without the image's entry point nobody drops root's rights, so the task starts without them.
        "user": f"{UID}:{GID}",
        # Packages and this folder are all that a task writes: who gets in can leave nothing behind in the image.
        "readonlyRootFilesystem": True,
        # It listens on a high port and changes no owner: no right of root is of use to it, or to who gets in.
        "dockerSecurityOptions": ["no-new-privileges"],
        "linuxParameters": {
            "capabilities": {"drop": ["ALL"]},
            "tmpfs": [
                _tmpfs("/tmp", TEMPORARY_MB),
                # The image declares a volume here: with nothing mounted, Docker makes one on the host's disk, which a
                # task could fill in spite of the read-only root.
                _tmpfs(PEER_PACKAGES_PATH, 1, "ro"),
            ],
        },
        # A connection is a file descriptor; what a task gets unasked depends on Docker's version on the host.
        "ulimits": [{"name": "nofile", "softLimit": 65536, "hardLimit": 65536}],
        "environment": [{"name": name, "value": value} for name, value in variables.items() if value is not None],
    }


def _tmpfs(path: str, size_mb: int, *options: str) -> dict[str, Any]:
    return {"containerPath": path, "size": size_mb, "mountOptions": [*options, "noexec", "nosuid", "nodev"]}


def _image_entry_point(settings: ServerSettings) -> dict[str, Any]:
    """pypiserver as the Terraform module runs it: `pypi-server`, which imports bottle before gevent patches."""
    return {
        "command": [
            *("run", "-p", str(PORT), "--server", "gunicorn", "--backend", settings.backend),
            *("--authenticate", "download,list,update", "-P", HTPASSWD_PATH),
            *(["--overwrite"] if settings.overwrite else []),
            PEER_PACKAGES_PATH,
        ],
    }


def _common(settings: ServerSettings, plan: TaskPlan, health_check_path: str) -> dict[str, Any]:
    # urllib would ask the proxy that the task's environment may name.
    probe = (
        "import urllib.request as u; "
        f"u.build_opener(u.ProxyHandler({{}})).open('http://127.0.0.1:{PORT}{health_check_path}', timeout=4)"
    )
    return {
        "name": NAME,
        "image": settings.image,
        "essential": True,
        "cpu": plan.container_cpu_units,
        "memory": plan.container_memory_mb,
        "memoryReservation": plan.container_memory_reservation_mb,
        "portMappings": [{"containerPort": PORT, "hostPort": 0, "protocol": "tcp"}],
        "environment": [
            {"name": "GUNICORN_WORKERS", "value": str(plan.gunicorn_workers)},
            {"name": "GUNICORN_KEEPALIVE_S", "value": str(settings.gunicorn_keepalive_s)},
        ],
        "healthCheck": {"command": ["CMD", "python", "-c", probe], "interval": 30, "timeout": 5, "retries": 3},
        "stopTimeout": STOP_TIMEOUT_S,
    }


def with_outputs(
    container: Container,
    *,
    log_group: pulumi.Input[str],
    region: pulumi.Input[str],
    credentials: Mapping[str, pulumi.Input[str]],
) -> pulumi.Output[str]:
    """The container definitions of a task as JSON.

    Args:
        credentials: role to what ECS injects its credential from, as `valueFrom`; empty: it injects none.
    """
    definition = {
        **container.definition,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": log_group, "awslogs-region": region, "awslogs-stream-prefix": NAME},
        },
    }
    if credentials:
        definition["secrets"] = [
            {"name": CREDENTIALS_VARIABLES[role], "valueFrom": value_from} for role, value_from in credentials.items()
        ]
    return pulumi.Output.json_dumps([definition])
