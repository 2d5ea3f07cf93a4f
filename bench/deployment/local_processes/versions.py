"""Versions that serve here, against those of the task's image."""

from __future__ import annotations

import platform
from importlib.metadata import version

from bench.deployment.description import VersionPair, Versions

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


def versions() -> Versions:
    """Python, gunicorn and gevent: here, and in the image."""
    return Versions(
        python=VersionPair(local=platform.python_version(), image=CARRIED["python"]),
        gunicorn=VersionPair(local=version("gunicorn"), image=CARRIED["gunicorn"]),
        gevent=VersionPair(local=version("gevent"), image=CARRIED["gevent"]),
    )
