"""Environments of the clients, each built once for all checkouts and kept in the user's cache folder."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.packages.factory import default_cache_dir
from tests.client_matrix.pins import Client, pinned
from tests.registry import install

_STAMP = "whole"


def executable(client: Client) -> Path:
    """The command of a client, whose environment is built where it is missing, half built or damaged.

    A test that needs it is left out where the package registry gives nothing.
    """
    return environment(default_cache_dir() / "clients", str(client).replace(" ", "-"), pinned()[client]) / client.name


def environment(cache: Path, name: str, requirements: str) -> Path:
    """The folder of the commands of an environment that holds exactly `requirements`, each with its version.

    Args:
        cache: holds a folder for each set of requirements and each Python.
        name: what the folder's name begins with.
    """
    python = Path(sys.executable).resolve()
    key = hashlib.sha256(f"{python}\n{sys.version}\n{requirements}".encode()).hexdigest()[:12]
    folder = cache / f"{name}-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    # The lock ends with the process that holds it, however that ends; what it leaves has no stamp.
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = folder / _STAMP
        if not stamp.is_file() or stamp.read_text() != _state(folder):
            shutil.rmtree(folder, ignore_errors=True)
            _build(folder, requirements)
            stamp.write_text(_state(folder))
    return folder / "bin"


def _build(folder: Path, requirements: str) -> None:
    subprocess.run([sys.executable, "-m", "uv", "venv", "--quiet", "--python", sys.executable, folder], check=True)
    wanted = folder / "requirements.txt"
    wanted.write_text(requirements)
    install("install", "--no-deps", "--python", folder / "bin" / "python", "--requirement", wanted)


def _state(folder: Path) -> str:
    """Digest of the names and sizes of all files but those that running a client writes."""
    return hashlib.sha256("\n".join(sorted(_files(folder))).encode()).hexdigest()


def _files(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.suffix != ".pyc" and path.name != _STAMP and not (path.is_dir() and not path.is_symlink()):
            yield f"{path.relative_to(folder)} {path.stat().st_size}" if path.exists() else f"{path.name} is missing"
