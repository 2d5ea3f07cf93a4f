"""Looks at the directories of an index, and what is known of them in between."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass, replace

from pypiserver_stack.container.base.batched_call import BatchedCall
from pypiserver_stack.container.base.offload import offload
from pypiserver_stack.container.base.project_folders import BY_PROJECT, project_folder, project_of_folder
from pypiserver_stack.container.index.directory import PackageEntry, PackageTree, ScannedDirectory, Tree
from pypiserver_stack.container.index.snapshot import NOTHING, Snapshot

_ATTEMPTS = 5
# So that other requests need not wait for all of them.
_FOLDERS_AT_ONCE = 100


class IndexUnavailableError(Exception):
    """The directory of the packages cannot be read at the moment."""


@dataclass(frozen=True, eq=False)
class View:
    """The shared tree and some folders of projects at one moment. Never changed.

    Whatever is made of them is made of one view: parts of two, between which a file was moved, might both lack it.
    """

    number: int
    """Grows from one look to the next."""
    snapshot: Snapshot
    """Of the shared tree."""
    folders: Mapping[str, ScannedDirectory]
    """By path, those of the folders asked for that exist."""

    def folder(self, path: str) -> ScannedDirectory | None:
        """One of the folders asked for; None where it does not exist.

        Raises:
            IndexUnavailableError: it cannot be read.
        """
        folder = self.folders.get(path)
        if folder is not None and folder.error is not None:
            raise IndexUnavailableError(f"{path!a} cannot be read: {folder.error}") from folder.error
        return folder

    def folder_paths(self) -> tuple[str, ...]:
        """The paths of all folders of projects, in a view of `BY_PROJECT`."""
        parent = self.folder(BY_PROJECT)
        return parent.content.subdirectories if parent else ()

    def entries(self, project: str) -> tuple[PackageEntry, ...]:
        """The files that may be a project's."""
        folder = self.folder(project_folder(project))
        return (*self.snapshot.by_project.get(project, ()), *(folder.content.entries.values() if folder else ()))

    def directories(self) -> list[Mapping[str, PackageEntry]]:
        """The packages of all directories, the shared tree as one."""
        return [self.snapshot.by_path, *(folder.content.entries for folder in self.folders.values())]


def newest(views: Iterable[View]) -> View:
    """The view of the latest look."""
    return max(views, key=lambda view: view.number)


class Looks:
    """What one worker knows of the directories, and its looks at them; for greenlets of that worker."""

    def __init__(self, tree: PackageTree) -> None:
        self._tree = tree
        self._shared: Tree = {}
        self._snapshot = NOTHING
        self._folders: dict[str, ScannedDirectory] = {}
        """Those of projects that somebody has asked for, by their paths, and `BY_PROJECT`."""
        self._doubts: set[str] = set()
        """Directories that somebody has doubted since the last look began."""
        self._number = 0
        self._look = BatchedCall(self._look_at)

    def look(self, *folders: str) -> View:
        """A view of these folders, by a look that begins now. Whoever asks at the same time shares it.

        Raises:
            IndexUnavailableError: the shared tree cannot be read.
        """
        return self._look(*folders)

    def look_at_all(self) -> View:
        """A view of the folders of all projects. Others may look in between.

        Raises:
            IndexUnavailableError: some directory cannot be read.
        """
        for _ in range(_ATTEMPTS):
            view = first = self.look(BY_PROJECT)
            paths = first.folder_paths()
            folders: dict[str, ScannedDirectory] = {}
            for start in range(0, len(paths), _FOLDERS_AT_ONCE):
                view = self.look(*paths[start : start + _FOLDERS_AT_ONCE])
                for path in paths[start : start + _FOLDERS_AT_ONCE]:
                    if folder := view.folder(path):
                        folders[path] = folder
            if view.snapshot.by_path is first.snapshot.by_path:
                break  # else a package may have moved to a folder that was looked at before
        return replace(view, folders=folders)

    def known(self, folder: str, name: str) -> PackageEntry | None:
        """A file that is known and not doubted. Whoever opens it will see whether it is still there."""
        if folder in self._doubts:
            return None
        if project_of_folder(folder) is None:
            return self._snapshot.by_path.get(f"{folder}/{name}" if folder else name)
        seen = self._folders.get(folder)
        return seen.content.entries.get(name) if seen else None

    def known_count(self) -> int:
        """How many packages are known of the shared tree."""
        return len(self._snapshot.by_path)

    def distrust(self, directory: str) -> None:
        """Say that what is known of a directory is wrong; the next look at it reads it again."""
        self._doubts.add(directory)

    def _look_at(self, folders: Set[str]) -> View:
        doubts, self._doubts = self._doubts, set()
        for path in doubts - folders:
            self._folders.pop(path, None)  # read anew whenever somebody asks for it
        known_folders = {path: self._folders[path] for path in folders if path in self._folders}
        try:
            shared, snapshot, found = offload(self._read, folders, known_folders, doubts)
        except BaseException as error:
            self._doubts |= doubts
            if isinstance(error, OSError):
                raise IndexUnavailableError(f"the packages cannot be read: {error}") from error
            raise
        self._shared, self._snapshot = shared, snapshot
        for path in folders:
            if path in found and path not in self._doubts:
                self._folders[path] = found[path]
            else:
                self._folders.pop(path, None)
        self._number += 1
        return View(self._number, snapshot, found)

    def _read(self, folders: Set[str], known_folders: Tree, doubts: Collection[str]) -> tuple[Tree, Snapshot, Tree]:
        """The shared tree, its snapshot, and the folders."""
        tree = self._tree.read({**self._shared, **known_folders}, folders, distrusted=doubts)
        found = {path: tree[path] for path in folders if path in tree}
        shared = {path: seen for path, seen in tree.items() if path not in found}
        if len(shared) == len(self._shared) and all(seen is self._shared.get(path) for path, seen in shared.items()):
            return self._shared, self._snapshot, found
        return shared, self._snapshot.after(self._shared, shared), found
