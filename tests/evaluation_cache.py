"""Deployments of this project's program, evaluated once for all test processes, and again when a source changes."""

from __future__ import annotations

import fcntl
import hashlib
import pickle
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

from bench.deployment.engine import Deployment, StackConfig
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.local_cloud import LocalCloud

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".pytest_cache" / "deployments"
ROOMS = ("bench", "pypiserver_stack", "sizing")
PACKAGES = ("pulumi", "pulumi-aws", "pulumi-random", "pydantic", "jinja2")


def deployment_of(config: StackConfig) -> Deployment:
    """The deployment of a configuration, as the embedded engine evaluates it against an empty cloud."""
    folder = _folder()
    key = hashlib.sha256(repr(config).encode()).hexdigest()
    with (folder / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # whoever needs the same one waits for it
        file = folder / f"{key}.pickle"
        if not file.exists():
            unfinished = folder / f"{key}.unfinished"
            unfinished.write_bytes(pickle.dumps(EmbeddedEngine(LocalCloud(), ROOT).up(config)))
            unfinished.replace(file)
        deployment: Deployment = pickle.loads(file.read_bytes())
    return deployment


@cache
def _folder() -> Path:
    """The folder of today's sources. Those of other sources are removed."""
    digest = hashlib.sha256(repr([sys.version, *map(version, PACKAGES)]).encode())
    for path in sorted(_sources()):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    folder = CACHE / digest.hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    for other in CACHE.iterdir():
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    return folder


def _sources() -> Iterator[Path]:
    yield from (ROOT / "__main__.py", *ROOT.glob("Pulumi*.yaml"))
    for room in ROOMS:
        yield from (path for path in (ROOT / room).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
