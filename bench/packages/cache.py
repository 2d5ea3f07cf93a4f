"""Wheels kept between runs, in a folder a package set, trusted only as far as their digests agree.

`manifest.json` in the folder maps file names to SHA-256 digests (hex) and is written last. A wheel is replaced whole or
not at all, so that a run which is reading the folder is not disturbed by one that repairs it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_MANIFEST = "manifest.json"


class BuildStoppedError(Exception):
    """Stop of a build before it was done, as its caller wanted."""


def sound_wheels(folder: Path) -> dict[str, str]:
    """The digest of each wheel that the manifest names and whose bytes agree with it; empty without a manifest."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text())
        expected = {str(filename): str(sha256) for filename, sha256 in manifest.items()}
    except (OSError, ValueError, AttributeError):
        return {}
    with ThreadPoolExecutor() as hashers:  # hashing releases the interpreter's lock
        found = hashers.map(_sha256, (folder / filename for filename in expected))
        return {
            filename: expected[filename]
            for filename, sha256 in zip(expected, found, strict=True)
            if sha256 == expected[filename]
        }


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return None


def move_into_cache(folder: Path, building: Path, digests: Mapping[str, str]) -> None:
    """Move every wheel of `building/wheels` into `folder`, then the manifest that names all of `digests`."""
    # Written before anything moves: a disk that is full for it leaves the folder as it was.
    manifest = building / _MANIFEST
    manifest.write_text(json.dumps(digests, indent=1))
    folder.mkdir(exist_ok=True)
    for wheel in (building / "wheels").iterdir():
        wheel.replace(folder / wheel.name)
    manifest.replace(folder / _MANIFEST)


def _delete_abandoned(cache: Path) -> None:
    """Delete the folders of builders that were killed: those of package sets whose lock is free."""
    for abandoned in cache.glob("*.building-*"):
        lock_path = cache / f"{abandoned.name.partition('.building-')[0]}.lock"
        with contextlib.suppress(OSError), lock_path.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(abandoned, ignore_errors=True)


@contextlib.contextmanager
def building_folder(folder: Path, stop: threading.Event) -> Iterator[Path]:
    """An empty folder beside `folder`, for the one process that builds for it at a time; deleted afterwards.

    Waits while another process builds. The lock ends with the process that holds it, however it ends; what that one
    left is deleted.

    Raises:
        BuildStoppedError: `stop` was set while waiting.
    """
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if stop.wait(0.1):
                    raise BuildStoppedError from None
        for abandoned in folder.parent.glob(f"{folder.name}.building-*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        _delete_abandoned(folder.parent)
        with tempfile.TemporaryDirectory(
            prefix=f"{folder.name}.building-", dir=folder.parent, ignore_cleanup_errors=True
        ) as building:
            yield Path(building)
