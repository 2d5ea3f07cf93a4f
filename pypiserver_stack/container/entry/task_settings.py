"""Settings of the server, read once from the environment that the task definition gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TaskSettings:
    """One field for each variable; docs/configuration.md explains them."""

    packages: Path
    backend: str
    upload_limit_bytes: int
    overwrite: bool
    removal: bool
    shared_cache: bool
    timing_headers: bool
    index_margin_s: float
    task_id: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> TaskSettings:
        """
        Raises:
            KeyError: a variable is missing.
            ValueError: a number is none.
        """
        return cls(
            packages=Path(environment["PYPISERVER_PACKAGES"]),
            backend=environment["PYPISERVER_BACKEND"],
            upload_limit_bytes=int(environment["PYPISERVER_UPLOAD_LIMIT_MB"]) * 2**20,
            overwrite=environment["PYPISERVER_OVERWRITE"] == "true",
            removal=environment["PYPISERVER_REMOVAL"] == "true",
            shared_cache=environment["PYPISERVER_SHARED_CACHE"] == "true",
            timing_headers=environment["PYPISERVER_TIMING_HEADERS"] == "true",
            index_margin_s=float(environment["PYPISERVER_INDEX_MARGIN_S"]),
            # Docker names a container's host after the container; ECS lists the same id with the task.
            task_id=environment.get("HOSTNAME", "unknown"),
        )
