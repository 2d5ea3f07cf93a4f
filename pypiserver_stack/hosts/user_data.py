"""User data of an instance: the work of cloud-init at its first boot."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from jinja2 import Environment, PackageLoader, StrictUndefined

from pypiserver_stack.settings import ConfigurationError
from pypiserver_stack.settings.groups.hosts import HostSettings, HostUser

USER_DATA_LIMIT_BYTES = 16384  # EC2's limit, before base64
_GZIP_MAGIC = b"\x1f\x8b"
_METRICS = json.loads((Path(__file__).parent / "cloudwatch_agent.json").read_text("utf-8"))


class WrittenFile(TypedDict):
    """A file that is written on the host."""

    path: str
    content: str
    permissions: str


def user_data(
    settings: HostSettings, memory_for_tasks_mb: int, *, cluster_name: str, files: Sequence[WrittenFile]
) -> str:
    """The host's cloud-init configuration, base64-encoded as a launch template takes it.

    Args:
        memory_for_tasks_mb: what ECS is to offer for tasks.
        files: what is written besides the stack's own configuration.

    Raises:
        ConfigurationError: it is larger than EC2 takes, compressed.
    """
    environment = Environment(
        loader=PackageLoader("pypiserver_stack", "hosts"), undefined=StrictUndefined, autoescape=False, trim_blocks=True
    )
    text = environment.get_template("user_data.yaml.j2").render(
        cluster_name=cluster_name,
        memory_for_tasks_mb=memory_for_tasks_mb,
        spot_enabled=settings.spot_enabled,
        users=[_account(user) for user in settings.host_users],
        metrics=json.dumps(_METRICS),
        files=files,
        commands=settings.host_extra_commands,
    )
    return _encoded(text)


def decoded(encoded: str) -> str:
    """The text of user data, from what a launch template has for it."""
    data = base64.b64decode(encoded, validate=True)
    return (gzip.decompress(data) if data.startswith(_GZIP_MAGIC) else data).decode()


def _account(user: HostUser) -> dict[str, object]:
    return {
        "name": user.name,
        "shell": "/bin/bash",
        "lock_passwd": True,
        "ssh_authorized_keys": list(user.ssh_authorized_keys),
        **({"sudo": "ALL=(ALL) NOPASSWD:ALL"} if user.sudo else {}),
    }


def _encoded(text: str) -> str:
    data = text.encode()
    # Compressed only where it must be: another version of the compressor would give other bytes for the same text, and
    # a changed template replaces every host.
    if len(data) > USER_DATA_LIMIT_BYTES:
        data = gzip.compress(data, mtime=0)
    if len(data) > USER_DATA_LIMIT_BYTES:
        raise ConfigurationError(
            f"the user data of the hosts is {len(data)} bytes when compressed, and EC2 takes {USER_DATA_LIMIT_BYTES}: "
            "make host_extra_files, host_extra_commands and host_users smaller, or have a command fetch what is large"
        )
    return base64.b64encode(data).decode()
