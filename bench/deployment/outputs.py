"""What a deployment exports, as the benchmark needs it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.index.target import Target


def role_targets(url: str, outputs: Mapping[str, Any], certificate_pem: str | None = None) -> Target:
    """The index at `url` with all rights, and as the users of the roles that the stack has.

    Args:
        outputs: of the stack, passwords in clear.
        certificate_pem: see `Target`.
    """

    def of(prefix: str) -> Target | None:
        username = outputs.get(f"{prefix}username")
        if username is None:
            return None
        return Target(url, username, outputs[f"{prefix}password"], certificate_pem=certificate_pem)

    reader, uploader = of("read_"), of("upload_")
    return Target(url, outputs["username"], outputs["password"], reader, uploader, certificate_pem)
