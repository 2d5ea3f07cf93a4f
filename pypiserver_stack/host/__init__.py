"""What reaches the EC2 host: its user data, and the files of the task in it."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePosixPath

from jinja2 import Environment, PackageLoader, StrictUndefined

# What a host says of itself to ECS: the hash of the files of the task that it was given.
FILES_ATTRIBUTE = "pypiserver.files"
USER_DATA_LIMIT_BYTES = 16384  # EC2's limit, before base64


@dataclass(frozen=True)
class HostFile:
    """A file to write on the host at boot."""

    path: str
    content: str


def container_files(*names: str) -> tuple[HostFile, ...]:
    """Files of `pypiserver_stack/container` in a host folder that is named by the hash of their content.

    A task definition that mounts the folder so names its content too: rolling one back rolls both back.
    """
    contents = {name: files("pypiserver_stack").joinpath("container", name).read_text("utf-8") for name in names}
    digest = hashlib.sha256(repr(sorted(contents.items())).encode()).hexdigest()[:12]
    return tuple(HostFile(f"/opt/pypiserver/{digest}/{name}", content) for name, content in contents.items())


def files_digest(host_files: tuple[HostFile, ...]) -> str:
    """The hash in the path of `container_files`."""
    return PurePosixPath(host_files[0].path).parent.name


def user_data(cluster_name: str, memory_for_tasks_mb: int, host_files: tuple[HostFile, ...]) -> str:
    """The host's cloud-init configuration, base64-encoded as a launch template takes it.

    Raises:
        ValueError: it is larger than EC2 takes.
    """
    environment = Environment(
        loader=PackageLoader("pypiserver_stack", "host"), undefined=StrictUndefined, autoescape=False, trim_blocks=True
    )
    text = environment.get_template("user_data.yaml.j2").render(
        cluster_name=cluster_name,
        memory_for_tasks_mb=memory_for_tasks_mb,
        attributes=json.dumps({FILES_ATTRIBUTE: files_digest(host_files)}, separators=(",", ":")),
        files=host_files,
    )
    size_bytes = len(text.encode())
    if size_bytes > USER_DATA_LIMIT_BYTES:
        raise ValueError(f"user data is {size_bytes} bytes, EC2 takes at most {USER_DATA_LIMIT_BYTES}")
    return base64.b64encode(text.encode()).decode()
