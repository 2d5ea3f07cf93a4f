"""A tree of control groups in a folder: a new group has the files that the kernel would give it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

VERSION_1 = {
    "memory": ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control"),
    "cpu": ("cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us"),
}
VERSION_2 = {"memory": ("memory.max", "memory.swap.max", "memory.events"), "cpu": ("cpu.weight", "cpu.max")}


class FakeKernel:
    """What `/proc/self` and the mounted hierarchies say."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.proc_self = folder / "proc"
        self.proc_self.mkdir()
        self._mounts: list[str] = ["22 1 8:1 / / rw - ext4 /dev/root rw"]
        self._own: list[str] = []
        self._folder = folder
        self._hierarchies: dict[Path, str] = {}
        real_mkdir = Path.mkdir

        def mkdir(path: Path, *args: Any, **options: Any) -> None:
            real_mkdir(path, *args, **options)
            for mount, controller in self._hierarchies.items():
                if path.is_relative_to(mount):
                    self._fill(path, controller)

        monkeypatch.setattr(Path, "mkdir", mkdir)

    def version_1(self, controller: str, own: str = "/", root: str = "/") -> Path:
        """Mount the hierarchy of a controller, in which this process is in the group `own`."""
        mount = self._mount(controller, root, f"cgroup cgroup rw,{controller}", controller)
        self._own.append(f"4:{controller}:{own}")
        return self._said(mount)

    def version_2(self, own: str = "/", controllers: str = "cpu memory pids") -> Path:
        """Mount the unified hierarchy, in which this process is in the group `own`."""
        mount = self._mount("unified", "/", "cgroup2 cgroup2 rw,nsdelegate", "")
        (mount / "cgroup.controllers").write_text(controllers)
        self._own.append(f"0::{own}")
        return self._said(mount)

    def group(self, path: Path, passes_on: str = "") -> Path:
        """A group of version 2 that exists already."""
        path.mkdir(parents=True, exist_ok=True)
        for group in (path, *path.parents):
            if group.is_relative_to(self._folder / "unified") and group != self._folder:
                self._fill(group, "")
        (path / "cgroup.subtree_control").write_text(passes_on)
        return path

    def mounted(self, kind: str, path: str) -> None:
        """Mount a file system of any other kind."""
        self._mounts.append(f"40 22 0:40 / {path} rw - {kind} none rw")
        self._said(Path(path))

    def _mount(self, name: str, root: str, back: str, controller: str) -> Path:
        mount = self._folder / name
        mount.mkdir()
        self._hierarchies[mount] = controller
        self._fill(mount, controller)
        self._mounts.append(f"31 22 0:28 {root} {mount} rw shared:9 - {back}")
        return mount

    def _fill(self, group: Path, controller: str) -> None:
        one = VERSION_1.get(controller, ())
        two = ("cgroup.subtree_control", *VERSION_2["memory"], *VERSION_2["cpu"]) if not controller else ()
        for name in ("cgroup.procs", *one, *two):
            (group / name).touch()

    def _said(self, mount: Path) -> Path:
        (self.proc_self / "mountinfo").write_text("\n".join(self._mounts) + "\n")
        (self.proc_self / "cgroup").write_text("\n".join(self._own) + "\n")
        return mount
