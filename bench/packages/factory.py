"""The wheel factory: test packages that are the same on every machine, built once and kept.

A `PackageSet` says what is wanted, `build` makes what the cache lacks of it. docs/packages.md is the page for users.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.metadata
import json
import logging
import os
import queue
import re
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.common.failures import BenchError, DiskFullError, UsageError, is_disk_full
from bench.common.user_folders import user_folder
from bench.packages.cache import building_folder, move_into_cache, sound_wheels
from bench.packages.pool import build_wheels

if TYPE_CHECKING:
    from bench.packages.worker import WheelJob

log = logging.getLogger(__name__)

# To be raised whenever the same package set gives other bytes than before.
_FORMAT = 1
MAX_PACKAGES = 10_000  # of three wheels each: 19 GB
# What a path that nobody can write to is answered with; anything else is not about the path.
_UNUSABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL}
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))*")


@dataclass(frozen=True)
class PackageSet:
    """Set of packages to make: `packages` projects, with a wheel for each of `versions`.

    Each wheel carries between `min_bytes` and `max_bytes` of incompressible data, of a size drawn from
    `size_distribution` with `seed`. What a wheel holds does not depend on how many others are asked for.

    Raises:
        UsageError: a value is out of bounds.
    """

    packages: int = 100
    versions: tuple[str, ...] = ("1.0.0", "1.1.0", "2.0.0")
    seed: int = 0
    min_bytes: int = 1024
    max_bytes: int = 5 * 1024 * 1024
    size_distribution: Literal["log-uniform", "uniform"] = "log-uniform"
    name_prefix: str = "test-package"

    def __post_init__(self) -> None:
        if not 1 <= self.packages <= MAX_PACKAGES:
            raise UsageError(f"packages is {self.packages}: ask for at least 1, and for {MAX_PACKAGES} at the most")
        if not self.versions or len(set(self.versions)) < len(self.versions):
            raise UsageError(f"versions is {', '.join(self.versions) or 'empty'}: give at least one, and each once")
        for version in self.versions:
            if not _VERSION.fullmatch(version):
                raise UsageError(f"{version!r} is no version for a test package: give a release such as 1.0.0")
        if not 1 <= self.min_bytes <= self.max_bytes:
            raise UsageError(
                f"package sizes cannot run from {self.min_bytes} to {self.max_bytes} bytes: "
                "the smallest is 1 at least, and the largest is not below it"
            )
        if not _NAME.fullmatch(self.name_prefix):
            raise UsageError(f"{self.name_prefix!r} is no prefix for names: use lower-case words joined by hyphens")

    def digest(self) -> str:
        """SHA-256 (hex) of all that shapes the wheels: the key of the cache."""
        tools = {tool: importlib.metadata.version(tool) for tool in ("build", "flit_core")}
        shape = {"format": _FORMAT, "tools": tools, **asdict(self)}
        return hashlib.sha256(json.dumps(shape, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Wheel:
    """A wheel on this machine's disk."""

    name: str
    version: str
    path: Path
    size_bytes: int
    sha256: str
    """Of the file, in hex."""

    @property
    def filename(self) -> str:
        """The name under which an index lists it."""
        return self.path.name


def default_cache_dir() -> Path:
    """`pypiserver-bench` in the user's cache folder, which is $XDG_CACHE_HOME or else ~/.cache.

    Raises:
        UsageError: XDG_CACHE_HOME is not set, and there is no home folder that can be written, or the folder is not
            this user's alone: programs are run from it.
    """
    return user_folder("XDG_CACHE_HOME", ".cache")


def cache_dir_or(temporary: Path, note: Callable[[str], object]) -> Path:
    """The default cache folder. Where there is none, `temporary`, and a note says why."""
    try:
        return default_cache_dir()
    except UsageError as error:
        note(f"packages are not kept for the next run: {error}")
        return temporary


def build(
    package_set: PackageSet, cache_dir: Path, on_progress: Callable[[int, int], None] | None = None
) -> tuple[Wheel, ...]:
    """The wheels of a package set, in the order of names and versions; builds those that the cache lacks.

    Every byte of the cached wheels is checked first. What is damaged or missing is built again, and a warning says so.
    Of several runs that want the same wheels at the same time one builds and the others wait.

    An exception that a signal handler raises ends the building: no process and no temporary folder is left when it
    comes out of this function.

    Args:
        on_progress: called in the calling thread with the number of wheels that are ready, and of all.

    Raises:
        DiskFullError: there is no space left; nothing half-made remains.
        UsageError: the cache folder cannot be written.
        BenchError: a wheel could not be built.
    """
    jobs = _jobs(package_set)
    folder = cache_dir.absolute() / package_set.digest()
    on_progress = on_progress or (lambda done, total: None)

    digests = sound_wheels(folder)
    if jobs.keys() <= digests.keys():
        on_progress(len(jobs), len(jobs))
    else:
        digests = _undisturbed(lambda stop, report: _fill(folder, jobs, stop, report), on_progress)
    return tuple(
        Wheel(job["name"], job["version"], path := folder / filename, path.stat().st_size, digests[filename])
        for filename, job in jobs.items()
    )


def make_export_folder(directory: Path, package_set: PackageSet) -> None:
    """Make the folder for `export`, if need be, before the wheels are built.

    Raises:
        UsageError: `directory` is no folder, cannot be written, or holds anything else.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        others = {path.name for path in directory.iterdir()} - _jobs(package_set).keys()
        if others:
            raise UsageError(f"{directory} holds other files, such as {min(others)}: name a new or empty folder")
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _explained(error, directory, "name another folder") from error


def export(wheels: Sequence[Wheel], directory: Path) -> None:
    """Copy wheels into a folder that `make_export_folder` made. One that holds them already is brought up to date.

    They are copies: what is done to them leaves the cache alone.

    Raises:
        UsageError: `directory` cannot be written.
        DiskFullError: there is no space left; no file is left half-written.
    """
    try:
        for wheel in wheels:
            partial = directory / f".{wheel.filename}.partial"
            try:
                shutil.copyfile(wheel.path, partial)
                partial.replace(directory / wheel.filename)
            finally:
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise _explained(error, directory, "name another folder") from error


def _jobs(package_set: PackageSet) -> dict[str, WheelJob]:
    """What to build, by file name."""
    names = [f"{package_set.name_prefix}-{index:03d}" for index in range(package_set.packages)]
    return {
        f"{name.replace('-', '_')}-{version}-py3-none-any.whl": _job(package_set, name, version)
        for name in names
        for version in package_set.versions
    }


def _job(package_set: PackageSet, name: str, version: str) -> WheelJob:
    draw = hashlib.sha256(f"{package_set.seed}/{name}/{version}".encode()).digest()
    fraction = int.from_bytes(draw[:6]) / 2**48
    smallest, largest = package_set.min_bytes, package_set.max_bytes
    if package_set.size_distribution == "log-uniform":
        data_bytes = round(smallest * (largest / smallest) ** fraction)
    else:
        data_bytes = smallest + int((largest - smallest + 1) * fraction)
    return {"name": name, "version": version, "data_bytes": data_bytes, "data_seed": draw[6:].hex()}


def _undisturbed(
    work: Callable[[threading.Event, Callable[[int, int], None]], dict[str, str]],
    on_progress: Callable[[int, int], None],
) -> dict[str, str]:
    """Do work that must clean up after itself in a thread of its own, and wait for it.

    A signal handler raises in the main thread at any moment: between the start of a process and the line that remembers
    it, or amid a `finally`. Like this it raises out of the waiting, and the work is asked to stop.
    """
    stop = threading.Event()
    reports: queue.SimpleQueue[tuple[int, int] | None] = queue.SimpleQueue()
    with ThreadPoolExecutor(1) as executor:
        try:
            future = executor.submit(work, stop, lambda done, total: reports.put((done, total)))
            future.add_done_callback(lambda _: reports.put(None))
            while report := reports.get():
                on_progress(*report)
            return future.result()
        finally:
            stop.set()


def _fill(
    folder: Path, jobs: Mapping[str, WheelJob], stop: threading.Event, on_progress: Callable[[int, int], None]
) -> dict[str, str]:
    """Build what a folder of the cache lacks; returns the digests of all its wheels."""
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with building_folder(folder, stop) as building:
            digests = sound_wheels(folder)  # again: while this run waited, another may have built them
            missing = [job for filename, job in jobs.items() if filename not in digests]
            if missing:
                if folder.exists():
                    log.warning(
                        "the package cache %s is damaged: building %d of %d again", folder, len(missing), len(jobs)
                    )
                ready = len(jobs) - len(missing)
                on_progress(ready, len(jobs))
                digests |= build_wheels(missing, building, stop, lambda built: on_progress(ready + built, len(jobs)))
                move_into_cache(folder, building, digests)
            return digests
    except OSError as error:
        raise _explained(error, folder.parent, "point XDG_CACHE_HOME at another folder") from error


def _explained(error: OSError, folder: Path, way_out: str) -> BenchError | OSError:
    """The error for people of a folder that cannot be written; `error` itself where it is another."""
    if is_disk_full(error):
        return DiskFullError(folder)
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        return UsageError(f"{folder} is not a folder: {way_out}")
    if error.errno in _UNUSABLE:
        return UsageError(f"{folder} cannot be written ({error.strerror}): {way_out}")
    return error
