"""The versions that serve here against those of the task's image."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from bench.report.model import VersionPair, Versions

# What pypiserver/pypiserver:v2.4.x carries; read from the image.
_IMAGE = {"python": "3.10", "gunicorn": "20.0.4", "gevent": "24.11.1"}


def versions() -> Versions:
    """Python, gunicorn and gevent: here, and in the image."""
    return Versions(
        python=VersionPair(local=platform.python_version(), image=_IMAGE["python"]),
        gunicorn=VersionPair(local=_installed("gunicorn"), image=_IMAGE["gunicorn"]),
        gevent=VersionPair(local=_installed("gevent"), image=_IMAGE["gevent"]),
    )


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
