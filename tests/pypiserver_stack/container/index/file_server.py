"""A file server of a test's own, over a real directory.

Names and contents are real. Time stamps come from a clock that is behind or ahead of this host's and counts in coarse
steps, and the number of a removed file goes to the next one that is made. Time stands still but for `pass_time`.
"""

from __future__ import annotations

import heapq
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pypiserver_stack.container.base.system_calls import SystemCalls


@dataclass
class _Node:
    inode: int
    mtime_ns: int
    ctime_ns: int
    uploaded: bool = False


class FileServer(SystemCalls):
    """The server, the writers that use it, and the calls of one host."""

    def __init__(self, root: Path, *, granularity_s: float, ahead_s: float, rename_sets_ctime: bool) -> None:
        self.root = root
        self.reads = 0
        self._granularity_ns = int(granularity_s * 1e9)
        self._ahead_ns = int(ahead_s * 1e9)
        self._rename_sets_ctime = rename_sets_ctime
        self._local_ns = 1_000 * 10**9
        self._nodes: dict[int, _Node] = {}
        self._free = list(range(1, 1000))
        self._interruption: Callable[[], None] | None = None
        self._calls_until_interruption = 0
        for folder in (root, root / ".incoming", root / ".digests"):
            folder.mkdir(exist_ok=True)
            self._made(folder)

    # The clocks.

    def pass_time(self, seconds: float) -> None:
        self._local_ns += int(seconds * 1e9)

    @property
    def _now_ns(self) -> int:
        return (self._local_ns + self._ahead_ns) // self._granularity_ns * self._granularity_ns

    # The writers: each of these is one step of the server.

    def create(self, path: str, content: bytes) -> None:
        (self.root / path).write_bytes(content)
        self._made(self.root / path)
        self._touch(self.root / path, parent=True)

    def link(self, source: str, target: str) -> None:
        os.link(self.root / source, self.root / target)
        self._touch(self.root / target)
        self._touch(self.root / target, parent=True)

    def symlink(self, destination: str, link: str) -> None:
        (self.root / link).symlink_to(destination)
        self._touch(self.root / link, parent=True)

    def unlink(self, path: str) -> None:
        number = self._leave(self.root / path)
        (self.root / path).unlink()
        self._forget(number)
        self._touch(self.root / path, parent=True)

    def rename(self, source: str, target: str) -> None:
        replaced = self._leave(self.root / target)
        (self.root / source).rename(self.root / target)
        self._forget(replaced)
        for path in (source, target):
            self._touch(self.root / path, parent=True)
        if self._rename_sets_ctime:
            self._touch(self.root / target, mtime=False)

    def mkdir(self, path: str) -> None:
        (self.root / path).mkdir()
        self._made(self.root / path)
        self._touch(self.root / path, parent=True)

    def remove_tree(self, path: str) -> None:
        numbers = [self._leave(inner) for inner in [*(self.root / path).rglob("*"), self.root / path]]
        shutil.rmtree(self.root / path)
        for number in numbers:
            self._forget(number)
        self._touch(self.root / path, parent=True)

    def set_mtime(self, path: str, mtime_ns: int) -> None:
        node = self._nodes[(self.root / path).stat().st_ino]
        node.mtime_ns, node.ctime_ns = mtime_ns, self._now_ns

    def mark_uploaded(self, path: str) -> None:
        """The number of this file is not given out again within the same step of the clock."""
        self._nodes[(self.root / path).stat().st_ino].uploaded = True

    def _made(self, path: Path) -> None:
        self._nodes[path.stat().st_ino] = _Node(heapq.heappop(self._free), self._now_ns, self._now_ns)

    def _touch(self, path: Path, *, parent: bool = False, mtime: bool = True) -> None:
        status = (path.parent if parent else path).lstat()
        node = self._nodes.get(status.st_ino)  # none for symbolic links, which nobody looks at themselves
        if node:
            node.ctime_ns = self._now_ns
            if parent and mtime:
                node.mtime_ns = self._now_ns

    def _leave(self, path: Path) -> int | None:
        """The number that is free once this name is gone."""
        if not os.path.lexists(path) or path.is_symlink():
            return None
        if path.is_file() and path.stat().st_nlink > 1:
            self._touch(path)
            return None
        return path.stat().st_ino

    def _forget(self, number: int | None) -> None:
        if number is None:
            return
        node = self._nodes.pop(number)
        if not (node.uploaded and node.ctime_ns == self._now_ns):
            heapq.heappush(self._free, node.inode)

    # The calls of the index, and what happens between two of them.

    def interrupt(self, interruption: Callable[[], None], *, after_calls: int) -> None:
        self._interruption, self._calls_until_interruption = interruption, after_calls

    def finish_interruption(self) -> None:
        """Have it happen now if it did not yet."""
        interruption, self._interruption = self._interruption, None
        if interruption:
            interruption()

    def monotonic_s(self) -> float:
        return self._local_ns / 1e9

    def open(self, *arguments: Any, **named: Any) -> int:
        self._interrupt()
        return os.open(*arguments, **named)

    def fstat(self, descriptor: int) -> os.stat_result:
        self._interrupt()
        return self._as_served(os.fstat(descriptor))

    def stat(self, *arguments: Any, **named: Any) -> os.stat_result:
        self._interrupt()
        return self._as_served(os.stat(*arguments, **named))

    def read(self, *arguments: Any) -> bytes:
        self._interrupt()
        self.reads += 1
        return os.read(*arguments)

    def scandir(self, descriptor: int) -> AbstractContextManager[Iterator[os.DirEntry[str]]]:
        self._interrupt()
        return super().scandir(descriptor)

    def _interrupt(self) -> None:
        self._calls_until_interruption -= 1
        if self._calls_until_interruption < 0:
            self.finish_interruption()

    def _as_served(self, real: os.stat_result) -> os.stat_result:
        # What nobody made through this server is the index's own, made just now.
        node = self._nodes.get(real.st_ino) or _Node(0, self._now_ns, self._now_ns)
        times = {"st_mtime_ns": node.mtime_ns, "st_ctime_ns": node.ctime_ns}
        return os.stat_result((real.st_mode, node.inode, *real[2:10]), times)
