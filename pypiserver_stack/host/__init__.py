"""What reaches the EC2 host: its user data."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined

USER_DATA_LIMIT_BYTES = 16384  # EC2's limit, before base64


def user_data(cluster_name: str, memory_for_tasks_mb: int, files: Mapping[str, str]) -> str:
    """The host's cloud-init configuration, base64-encoded as a launch template takes it.

    Args:
        files: path on the host to content.

    Raises:
        ValueError: it is larger than EC2 takes.
    """
    environment = Environment(
        loader=PackageLoader("pypiserver_stack", "host"), undefined=StrictUndefined, autoescape=False, trim_blocks=True
    )
    text = environment.get_template("user_data.yaml.j2").render(
        cluster_name=cluster_name, memory_for_tasks_mb=memory_for_tasks_mb, files=files
    )
    size_bytes = len(text.encode())
    if size_bytes > USER_DATA_LIMIT_BYTES:
        raise ValueError(f"user data is {size_bytes} bytes, EC2 takes at most {USER_DATA_LIMIT_BYTES}")
    return base64.b64encode(text.encode()).decode()
