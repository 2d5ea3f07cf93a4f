"""Control groups of Linux, version 1 and 2: where a run may make them, what it sets in them, and their removal.

The groups of a run are `BASE/pypiserver-bench-MARK-NUMBER/TASK`, in the hierarchy of each controller. Their name has
the mark of the run, as that of its temporary folder does: whatever else was lost, they are found by it. Nothing outside
of them is changed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

ControllerName = Literal["memory", "cpu"]

_PROC_SELF = Path("/proc/self")
_PREFIX = "pypiserver-bench-"
_NAME = re.compile(rf"{_PREFIX}(?P<mark>.+)-\d+")
_PERIOD_US = 100_000
# The kernel lets a group go a moment after the last process in it has ended.
_REMOVAL_PATIENCE_S = 5.0
_POLL_S = 0.02


class NotUsableError(Exception):
    """A controller cannot be used here. The message says why, without a full stop."""


@dataclass(frozen=True)
class Mount:
    """A mounted hierarchy of control groups."""

    version: Literal[1, 2]
    controllers: frozenset[str]
    """Those of version 1; version 2 says in its files which it has."""
    root: PurePosixPath
    """The group that the mount point shows."""
    path: Path


@dataclass(frozen=True)
class Controller:
    """A controller, and the existing group below which groups can be made for it."""

    name: ControllerName
    version: Literal[1, 2]
    base: Path

    def make(self, group: PurePosixPath) -> None:
        """Make a group, and hand the controller on to it; one that exists already will do.

        Raises:
            NotUsableError: it cannot be made, or does not get the controller.
        """
        path = self.base
        for part in group.parts:
            if self.version == 2 and path != self.base:
                self._write(path / "cgroup.subtree_control", f"+{self.name}")
            path /= part
            try:
                path.mkdir(exist_ok=True)
            except OSError as error:
                raise NotUsableError(_refusal(path, error)) from error

    def enter(self, group: PurePosixPath, pid: int) -> None:
        """Move a process into a group; what it starts from then on is in it too.

        Raises:
            NotUsableError: it may not be moved there. A process that has ended is not one.
        """
        with contextlib.suppress(ProcessLookupError):
            self._write(self.base / group / "cgroup.procs", str(pid))

    def limit_memory(self, group: PurePosixPath, limit_bytes: int) -> None:
        """Give a group so much memory and no swap: what it takes beyond that ends in an OOM kill.

        Raises:
            NotUsableError: the limit cannot be set.
        """
        folder = self.base / group
        if self.version == 1:
            self._write(folder / "memory.limit_in_bytes", str(limit_bytes))
            self._write_if_present(folder / "memory.memsw.limit_in_bytes", str(limit_bytes))
        else:
            self._write(folder / "memory.max", str(limit_bytes))
            self._write_if_present(folder / "memory.swap.max", "0")

    def oom_kills(self, group: PurePosixPath) -> int:
        """How many processes of a group the kernel has killed for want of memory; 0 where it does not say."""
        file = self.base / group / ("memory.oom_control" if self.version == 1 else "memory.events")
        with contextlib.suppress(OSError):
            counts = dict(line.split() for line in file.read_text().splitlines())
            return int(counts.get("oom_kill", 0))
        return 0

    def share_cpu(self, group: PurePosixPath, units: int) -> None:
        """Give a group its part of the CPU time that it and its siblings compete for; 1024 units are a vCPU's.

        Raises:
            NotUsableError: the share cannot be set.
        """
        shares = min(max(units, 2), 262_144)
        if self.version == 1:
            self._write(self.base / group / "cpu.shares", str(shares))
        else:
            # From 2..262144 to 1..10000, as the container runtimes convert it.
            self._write(self.base / group / "cpu.weight", str(1 + (shares - 2) * 9999 // 262_142))

    def cap_cpu(self, group: PurePosixPath, vcpu_count: int) -> None:
        """Let a group use at most so many processors at a time.

        Raises:
            NotUsableError: the quota cannot be set.
        """
        folder, quota_us = self.base / group, vcpu_count * _PERIOD_US
        if self.version == 1:
            self._write(folder / "cpu.cfs_period_us", str(_PERIOD_US))
            self._write(folder / "cpu.cfs_quota_us", str(quota_us))
        else:
            self._write(folder / "cpu.max", f"{quota_us} {_PERIOD_US}")

    def _write_if_present(self, file: Path, value: str) -> None:
        if file.exists():
            self._write(file, value)

    def _write(self, file: Path, value: str) -> None:
        if not file.exists():
            raise NotUsableError(f"there is no {file}: this kernel does not have the feature")
        try:
            file.write_text(value)
        except ProcessLookupError:
            raise
        except OSError as error:
            raise NotUsableError(_refusal(file, error)) from error


def find_controller(name: ControllerName, proc_self: Path = _PROC_SELF) -> Controller:
    """Where this process can make groups for a controller, as near to its own group as possible.

    In version 1 that is its own group. In version 2 a group that holds processes passes no controller on: there it is
    the nearest group above that passes controllers on already. A process is in one group of version 2 only, so that it
    has to pass on the memory controller, whichever is asked for.

    Args:
        proc_self: where the kernel says what is mounted, and which group this process is in.

    Raises:
        NotUsableError: there is no such place.
    """
    mounts, own = list(_mounts(proc_self)), _own_groups(proc_self)
    for mount in mounts:
        if name in mount.controllers:
            return Controller(name, 1, _shown_at(mount, own.get(name, PurePosixPath("/"))))
    for mount in mounts:
        if mount.version == 2 and name in _words(mount.path / "cgroup.controllers"):
            nearest = _shown_at(mount, own.get("", PurePosixPath("/")))
            return Controller(name, 2, _base_of_version_2(name, nearest, mount.path))
    if not mounts:
        raise NotUsableError("no control groups are mounted")
    raise NotUsableError(f"no mounted hierarchy of control groups has the {name} controller")


def group_name(run_mark: str, number: int) -> str:
    """The name of a group right below the base: it says which run it belongs to."""
    return f"{_PREFIX}{run_mark}-{number}"


def marks_of_groups(proc_self: Path = _PROC_SELF) -> set[str]:
    """The marks of all runs of this user that have groups."""
    return {mark for mark, _ in _marked_groups(proc_self)}


def remove_groups(run_mark: str, proc_self: Path = _PROC_SELF) -> list[str]:
    """Remove the groups of a run whose processes have ended; returns what would not go, in words."""
    deadline = time.monotonic() + _REMOVAL_PATIENCE_S
    while remaining := [path for mark, path in _marked_groups(proc_self) if mark == run_mark]:
        for path in remaining:
            for folder, _, _ in os.walk(path, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
        if time.monotonic() > deadline:
            break
        if any(path.exists() for path in remaining):
            time.sleep(_POLL_S)
    return [f"control group {path}" for path in remaining if path.exists()]


def _marked_groups(proc_self: Path) -> Iterator[tuple[str, Path]]:
    """Mark and path of each group that this user may remove; no run can have made another one."""
    for mount in _mounts(proc_self):
        for folder, children, _ in os.walk(mount.path):
            for child in children:
                if (match := _NAME.fullmatch(child)) and os.access(folder, os.W_OK):
                    yield match["mark"], Path(folder, child)


def _mounts(proc_self: Path) -> Iterator[Mount]:
    """The hierarchies that have a controller of ours, or could have."""
    for kind, root, path, options in _mount_table(proc_self):
        if kind == "cgroup2":
            yield Mount(2, frozenset(), PurePosixPath(root), Path(path))
        elif kind == "cgroup" and (controllers := {"memory", "cpu"} & set(options.split(","))):
            yield Mount(1, frozenset(controllers), PurePosixPath(root), Path(path))


def file_system_of(path: Path, proc_self: Path = _PROC_SELF) -> str:
    """The type of the file system that a path lies on, such as `ext4` or `tmpfs`; empty where it is not known."""
    resolved, found = path.resolve(), ("", "")
    for kind, _, mount_point, _ in _mount_table(proc_self):
        # Of those that are mounted over each other, the last one shows.
        if resolved.is_relative_to(mount_point) and len(mount_point) >= len(found[0]):
            found = mount_point, kind
    return found[1]


def _mount_table(proc_self: Path) -> Iterator[tuple[str, str, str, str]]:
    """Type, root, mount point and super options of what is mounted; see proc(5)."""
    with contextlib.suppress(OSError):
        for line in (proc_self / "mountinfo").read_text().splitlines():
            # 31 23 0:28 ROOT MOUNT-POINT OPTIONS [FIELD...] - TYPE SOURCE SUPER-OPTIONS
            front, _, back = line.partition(" - ")
            root, mount_point = (_unescaped(word) for word in front.split()[3:5])
            kind, _, options = back.split(" ", 2)
            yield kind, root, mount_point, options


def _own_groups(proc_self: Path) -> dict[str, PurePosixPath]:
    """The group of this process by controller of version 1; under the empty name, that of version 2."""
    groups = {}
    with contextlib.suppress(OSError):
        for line in (proc_self / "cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            groups.update(dict.fromkeys(controllers.split(","), PurePosixPath(group)))
    return groups


def _shown_at(mount: Mount, group: PurePosixPath) -> Path:
    """Where a mount shows a group; its topmost one where it does not show it, as in some containers."""
    if ".." not in group.parts and group.is_relative_to(mount.root):
        path = mount.path / group.relative_to(mount.root)
        if path.is_dir():
            return path
    return mount.path


def _base_of_version_2(name: ControllerName, nearest: Path, top: Path) -> Path:
    above = [group for group in (nearest, *nearest.parents) if group.is_relative_to(top)]
    passed_on = {group: _words(group / "cgroup.subtree_control") for group in above if os.access(group, os.W_OK)}
    for wanted in ({"memory", "cpu"}, {"memory"}):
        for group, controllers in passed_on.items():
            if wanted <= set(controllers) and name in controllers:
                return group
    raise NotUsableError(
        f"no control group from {nearest} up passes the {name} controller on and may be written: "
        "run as root, or in a delegated group such as `systemd-run --user --scope` makes"
    )


def _words(file: Path) -> list[str]:
    with contextlib.suppress(OSError):
        return file.read_text().split()
    return []


def _unescaped(word: str) -> str:
    """Mount points have their blanks as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), word)


def _refusal(path: Path, error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{path} may not be written: run as root, or in a delegated control group"
    if error.errno == errno.EROFS:
        return f"{path} is on a read-only mount"
    return f"{path} cannot be written ({os.strerror(error.errno or 0)})"
