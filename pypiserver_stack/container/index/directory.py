"""Packages in a directory tree: read once, and trusted for as long as the tree proves unchanged.

The tree has a shared part, which any answer rests on, and the folders of uploaded packages, of which an answer about a
project needs that project's alone.

A directory's signature is what changes when a name in it comes, goes or is replaced. Time stamps are coarse, so that a
change may leave the signature of the change just before it; but not one that comes a margin after a signature was first
seen. What was read later than that, by the clock of this host alone, holds until the signature changes.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from pypiserver_stack.container.base.excluded_paths import is_excluded, is_unprintable
from pypiserver_stack.container.base.project_folders import (
    BY_PROJECT,
    is_project_name,
    project_of_folder,
)
from pypiserver_stack.container.base.records import FileKey, PackageRecord
from pypiserver_stack.container.base.releases import releases_of
from pypiserver_stack.container.base.system_calls import GONE, SystemCalls
from pypiserver_stack.container.base.yanks import YANKED

_ATTEMPTS = 5
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY

Signature = tuple[tuple[int, int, int, int] | None, ...]
"""Device, inode, mtime_ns, ctime_ns: of the directory, then of what each of its symbolic links to packages leads to."""


class FileIdentity(NamedTuple):
    """State of a file when it was last looked at."""

    key: FileKey
    seen_s: float
    """When this key was first seen, by the monotonic clock of this host."""
    record: PackageRecord | None
    """None while another file might still come with the same key."""
    retry_s: float | None
    """When to read the file again, by the same clock, where its record could not be kept."""


class PackageEntry:
    """A package file as one of the releases that its name allows; `project` is the normalised name."""

    __slots__ = ("folder", "identity", "name", "others", "project", "version")

    def __init__(self, folder: str, name: str, project: str, version: str) -> None:
        self.folder = folder
        """Path of its directory from the root; one text for all files of a directory."""
        self.name = name
        self.project = project
        self.version = version
        self.others: tuple[PackageEntry, ...] = ()
        """The same file as the other releases that its name allows. What it holds says which one it is."""
        self.identity: FileIdentity | None = None

    @property
    def relfn(self) -> str:
        """Its path from the root."""
        return f"{self.folder}/{self.name}" if self.folder else self.name

    @property
    def key(self) -> FileKey | None:
        """Which state of the file `record` belongs to."""
        return self.identity.key if self.identity and self.identity.record else None

    @property
    def is_settled(self) -> bool:
        """Whether nothing but a change of a directory changes what is known of the file."""
        return self.identity is not None and self.identity.retry_s is None

    @property
    def record(self) -> PackageRecord | None:
        """None until somebody needed it."""
        return self.identity.record if self.identity else None


class DirectoryContent(NamedTuple):
    """Content of one directory."""

    entries: dict[str, PackageEntry]
    """By base name."""
    subdirectories: tuple[str, ...] = ()
    """Paths from the root, as are the next."""
    links: tuple[str, ...] = ()
    yanked: tuple[str, ...] = ()
    """Packages beside which a yank is kept, whether they are there or not."""


class ScannedDirectory(NamedTuple):
    """One directory as it was last read."""

    signature: Signature
    since_s: float
    content: DirectoryContent
    trusted: bool
    error: OSError | None = None
    """Why the folder of a project cannot be read, which is nobody else's matter."""


Tree = Mapping[str, ScannedDirectory]
"""Directories by their path from the root, parents first; the root is ""."""


class PackageTree:
    """The tree under `root`, as `WalkingBackend` walks it: no names with a leading dot, no links to directories."""

    def __init__(self, root: Path, margin_s: float, calls: SystemCalls) -> None:
        self._root = root
        self._margin_s = margin_s
        self._calls = calls

    def read(self, known: Tree, folders: Collection[str] = (), *, distrusted: Collection[str] = ()) -> Tree:
        """The shared tree, and those of `folders` that exist: `known` itself where all of it proves unchanged.

        Of what changed, the entries of `known` are reused.

        Args:
            folders: of projects, or the folder that holds them all, by their paths.
            distrusted: directories to read again in any case.

        Raises:
            OSError: some directory cannot be read. There is no partial answer.
        """
        last = known
        for attempts_left in reversed(range(_ATTEMPTS)):
            try:
                tree = self._read(known, last, folders, distrusted)
                if len(tree) == len(known) and all(seen is known.get(path) for path, seen in tree.items()):
                    return known
                if self._holds_still(tree, folders):
                    return tree
                last = tree
            except OSError as error:
                if error.errno not in GONE or not attempts_left:
                    raise
                distrusted = known.keys()
        # It changes faster than it can be read twice: what a single walk finds, as pypiserver's own.
        return tree

    def _read(self, known: Tree, last: Tree, folders: Collection[str], distrusted: Collection[str]) -> Tree:
        tree: dict[str, ScannedDirectory] = {}

        def look(root: int, path: str) -> None:
            entries = known[path].content.entries if path in known else {}
            tree[path] = self._look(root, path, entries, last.get(path), path not in distrusted)

        def look_at_folder(root: int, path: str) -> None:
            try:
                look(root, path)
            except OSError as error:
                if error.errno in GONE:
                    raise
                tree[path] = ScannedDirectory((), 0, DirectoryContent({}), trusted=False, error=error)

        # The folders first: a package that is in none of them now was in the shared tree before, and is still there if
        # that proves unchanged.
        self._each_folder(folders, look_at_folder)
        root = self._calls.open(self._root, _DIRECTORY)
        try:
            waiting = [""]
            while waiting:
                path = waiting.pop()
                look(root, path)
                waiting += tree[path].content.subdirectories
        finally:
            self._calls.close(root)
        return tree

    def _each_folder(self, folders: Collection[str], look: Callable[[int, str], object]) -> None:
        """Call `look` with the opened root and the path of each folder that exists."""
        if not folders:
            return
        root = self._calls.open(self._root, _DIRECTORY)
        try:
            # Opened for what `_open` says of parents.
            parent = self._open_if_there(root, BY_PROJECT)
            if parent is None:
                return
            self._calls.close(parent)
            for path in folders:
                try:
                    look(root, path)
                except OSError as error:
                    if error.errno not in GONE:
                        raise
        finally:
            self._calls.close(root)

    def _look(
        self, root: int, path: str, entries: dict[str, PackageEntry], last: ScannedDirectory | None, trust: bool
    ) -> ScannedDirectory:
        started_s = self._calls.monotonic_s()
        descriptor = self._open(root, path)
        try:
            signature = self._signature(root, descriptor, last.content.links if last else ())
            if last is None or last.signature != signature:
                since_s = self._calls.monotonic_s()
            elif last.trusted and trust:
                return last
            else:
                since_s = last.since_s
            content = self._scan(root, descriptor, path, entries)
        finally:
            self._close(root, descriptor)
        return ScannedDirectory(signature, since_s, content, trusted=started_s >= since_s + self._margin_s)

    def _holds_still(self, tree: Tree, folders: Collection[str]) -> bool:
        """A package that moves from where was not read yet to where was read already would be in neither."""
        alone = len(tree) == 1
        still_there: dict[str, bool] = {}

        def look(root: int, path: str) -> None:
            seen = tree.get(path)
            if seen is None:
                self._close(root, self._open(root, path))  # raises an error where it still does not exist
            still_there[path] = seen is not None and (
                seen.error is not None or self._is_as_seen(root, path, seen, alone=alone)
            )

        self._each_folder(folders, look)
        shared = [path for path in tree if path not in folders]
        if len(still_there) + len(shared) < len(tree) or not all(still_there.values()):
            return False
        root = self._calls.open(self._root, _DIRECTORY)
        try:
            return all(self._is_as_seen(root, path, tree[path], alone=alone) for path in shared)
        finally:
            self._calls.close(root)

    def _is_as_seen(self, root: int, path: str, seen: ScannedDirectory, *, alone: bool) -> bool:
        descriptor = self._open(root, path)
        try:
            if self._signature(root, descriptor, seen.content.links) != seen.signature:
                return False
            # While its time stamps may stand still, only reading a directory again shows whether anything moved.
            return alone or seen.trusted or self._scan(root, descriptor, path, seen.content.entries) == seen.content
        finally:
            self._close(root, descriptor)

    def _signature(self, root: int, descriptor: int, links: tuple[str, ...]) -> Signature:
        statuses = [self._calls.fstat(descriptor), *(self._target(root, link) for link in links)]
        return tuple(
            status and (status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns) for status in statuses
        )

    def _scan(self, root: int, descriptor: int, path: str, known: dict[str, PackageEntry]) -> DirectoryContent:
        prefix = f"{path}/" if path else ""
        project = project_of_folder(path)
        entries: dict[str, PackageEntry] = {}
        arrived = False
        subdirectories = []
        links = []
        yanked = []
        with self._calls.scandir(descriptor) as items:
            for item in items:  # perhaps 150,000 of them: the usual case takes as few steps as it can
                name = item.name
                entry = known.get(name)
                linked = item.is_symlink()
                if linked or item.is_file():
                    if entry is None:
                        entry = _entry(path, name, project)
                        if entry is None:
                            if name.endswith(YANKED) and not linked:
                                yanked.append(prefix + name.removesuffix(YANKED))
                            continue
                        arrived = True
                    if linked:
                        links.append(entry.relfn)
                        target = self._target(root, entry.relfn)
                        if target is None or not stat.S_ISREG(target.st_mode):
                            continue
                    entries[name] = entry
                elif project is None and item.is_dir() and not _is_left_out(prefix, name):
                    subdirectories.append(prefix + name)
        if not arrived and len(entries) == len(known):
            entries = known
        return DirectoryContent(entries, tuple(subdirectories), tuple(links), tuple(yanked))

    def _target(self, root: int, link: str) -> os.stat_result | None:
        try:
            return self._calls.stat(link, dir_fd=root)
        except OSError as error:
            if error.errno in GONE:
                return None
            raise

    def _open(self, root: int, path: str) -> int:
        # By its path from the opened root, whose parents have all been opened just now: an NFS client asks the file
        # server for the attributes of what it opens, and looks names up anew where those of the directory changed.
        return self._calls.open(path, _DIRECTORY | os.O_NOFOLLOW, dir_fd=root) if path else root

    def _open_if_there(self, root: int, path: str) -> int | None:
        try:
            return self._open(root, path)
        except OSError as error:
            if error.errno in GONE:
                return None
            raise

    def _close(self, root: int, descriptor: int) -> None:
        if descriptor != root:
            self._calls.close(descriptor)


def _is_left_out(prefix: str, name: str) -> bool:
    """Whether a subdirectory is none of the tree; those of `BY_PROJECT` are the folders of projects."""
    if prefix == f"{BY_PROJECT}/":
        return not is_project_name(name)
    return name.startswith(".") or (name == BY_PROJECT and not prefix) or is_excluded(prefix + name)


def _entry(folder: str, name: str, project: str | None) -> PackageEntry | None:
    """The likeliest of the releases that a file may be; None for a file that is no package.

    Args:
        project: the only one whose releases count; None for any.
    """
    releases = () if name.startswith(".") or is_unprintable(name) else releases_of(name)
    entries = [
        # Many files share each of these names and versions.
        PackageEntry(folder, name, sys.intern(release.project), sys.intern(release.version))
        for release in releases
        if project is None or release.project == project
    ]
    if not entries:
        return None
    for entry in entries:
        entry.others = tuple(other for other in entries if other is not entry)
    return entries[0]
