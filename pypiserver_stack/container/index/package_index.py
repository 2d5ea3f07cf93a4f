"""The index: what pypiserver lists, held in memory and proved to be so for each request.

Every answer rests on a look, begun after the request arrived, at all directories that may hold a file of it: the shared
tree, and the project's folder.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from functools import lru_cache, partial
from pathlib import Path
from threading import Semaphore
from typing import NamedTuple
from weakref import WeakValueDictionary

from pypiserver_stack.container.base.coalesced_call import BatchedCall, CoalescedCall
from pypiserver_stack.container.base.offload import offload
from pypiserver_stack.container.base.project_folders import (
    BY_PROJECT,
    is_project_name,
    project_folder,
    project_of_folder,
)
from pypiserver_stack.container.base.records import FileKey, PackageRecord, RecordStore
from pypiserver_stack.container.base.releases import releases_of
from pypiserver_stack.container.base.system_calls import GONE, SystemCalls
from pypiserver_stack.container.base.yanks import yank_reason
from pypiserver_stack.container.index.directory import FileIdentity, PackageEntry, PackageTree, ScannedDirectory, Tree
from pypiserver_stack.container.index.identities import FileIdentities, Found
from pypiserver_stack.container.index.pages import ListingPage, ListingPages, packages_page, project_pages, root_pages
from pypiserver_stack.container.index.snapshot import NOTHING, Snapshot

_ATTEMPTS = 5
_HELD_PAGES_BYTES = 64 * 2**20
# Fewer than there are threads to offload to: projects full of large new files leave the others to everybody else.
_PROJECTS_READ_AT_ONCE = 2
# So that other requests need not wait for all of them.
_FOLDERS_AT_ONCE = 100


class IndexUnavailableError(Exception):
    """The directory of the packages cannot be read at the moment."""


class _RenderedProject(NamedTuple):
    """A project's listing, and what it was made from."""

    found: Found
    yanked: dict[str, str]
    """Reasons by path."""
    pages: ListingPages
    generation: int
    folder: ScannedDirectory | None

    @property
    def size_bytes(self) -> int:
        # The second term: what surrounds a page, and each file in `found`.
        return self.pages.html.size_bytes + self.pages.json.size_bytes + 1000 + 200 * len(self.found)


class PackageIndex:
    """The packages under `root`. One for each worker; its methods are for greenlets of that worker."""

    def __init__(self, root: Path, records: RecordStore, *, margin_s: float, calls: SystemCalls | None = None) -> None:
        """
        Args:
            margin_s: how long two changes of a directory may leave it with the same time stamps: their granularity, and
                what the clock of the file server may do besides.
        """
        calls = calls or SystemCalls()
        self.records = records
        self._root = root
        self._directory = PackageTree(root, margin_s, calls)
        self._identities = FileIdentities(root, records, margin_s, calls)
        self._shared: Tree = {}
        self._snapshot = NOTHING
        self._folders: dict[str, ScannedDirectory] = {}
        """Those of projects that somebody has asked for, by their paths, and `BY_PROJECT`."""
        self._doubts: dict[str, object] = {}
        """By the path of a directory; each doubt is another object."""
        self._look = BatchedCall(self._read_directories)
        self._root_page = CoalescedCall(self._render_root)
        self._packages_page = CoalescedCall(self._render_packages)
        self._all_packages: tuple[list[Mapping[str, PackageEntry]], ListingPage] = ([], packages_page([]))
        self._root_pages: tuple[Set[str], ListingPages] = (set(), root_pages([]))
        self._projects = _RenderedProjects()
        self._reading = Semaphore(_PROJECTS_READ_AT_ONCE)
        self._rendering: WeakValueDictionary[str, CoalescedCall[_RenderedProject | None]] = WeakValueDictionary()

    def project_page(self, project: str, as_json: bool) -> ListingPage | None:
        """The listing of a project; None if there is none by this normalised name.

        Raises:
            IndexUnavailableError: the packages cannot be read; as do all methods that look at them.
        """
        listed = self._project(project)
        return listed and (listed.pages.json if as_json else listed.pages.html)

    def root_page(self, as_json: bool) -> ListingPage:
        """The listing of all projects."""
        self._look(BY_PROJECT)
        pages = self._root_page()
        return pages.json if as_json else pages.html

    def packages_page(self) -> ListingPage:
        """The page of all files."""
        self._look_at_all()
        return self._packages_page()

    def projects(self) -> Set[str]:
        """The normalised names of all projects, and those of folders that hold no file."""
        self._look(BY_PROJECT)
        return self._names()

    def all_packages(self) -> Iterator[PackageEntry]:
        """All packages. This looks at the folder of every project."""
        self._look_at_all()
        return (entry for directory in self._all_directories() for entry in directory.values())

    def known_packages(self) -> int:
        """How many packages this worker knows of, without a look."""
        return len(self._snapshot.by_path) + sum(len(folder.content.entries) for folder in self._project_folders())

    def packages(self, project: str) -> Iterable[PackageEntry]:
        """The files of a project, by its normalised name."""
        self._look(*_folders_of(project))
        entries = self._entries(project)
        if not any(entry.others for entry in entries):
            return entries
        listed = self._project(project)  # what they hold says which of them are its own
        return tuple(listed.found) if listed else ()

    def record(self, relfn: str) -> PackageRecord | None:
        """The record of a package; None if there is none at this path."""
        entry = self.find(relfn)
        for possible in (entry, *entry.others) if entry else ():
            listed = self._project(possible.project)
            if listed and possible in listed.found:
                return possible.record or listed.found[possible]
        return None

    def find(self, relfn: str) -> PackageEntry | None:
        """A package by its path from the root, or by its name alone where its project's folder has it.

        One that is known is not looked for again: who opens it will see.
        """
        folder, _, name = relfn.rpartition("/")
        folders = [folder] if folder else [path for it in releases_of(name) for path in _folders_of(it.project)]
        entry = self._known(relfn, name, folders)
        if entry is None or entry.folder in self._doubts:
            self._look(*(path for path in folders if project_of_folder(path)))
            entry = self._known(relfn, name, folders)
        return entry

    def _known(self, relfn: str, name: str, folders: list[str]) -> PackageEntry | None:
        entry = self._snapshot.by_path.get(relfn)
        for path in folders:
            if entry is None and (folder := self._folder(path)):
                entry = folder.content.entries.get(name)
        return entry

    def is_current(self, entry: PackageEntry, key: FileKey) -> bool:
        """Whether an opened file is the one that is listed. Afterwards `entry.record` is its record, if known."""
        if entry.record is None and (stored := offload(self.records.get, entry.relfn, key)):
            entry.identity = FileIdentity(key, 0, stored, None)
        return entry.key in (None, key)

    def metadata(self, entry: PackageEntry) -> bytes | None:
        """The metadata that the listing offers for a package; its digest is then `entry.record.metadata_sha256`."""
        for _ in range(_ATTEMPTS):
            if entry.record is None and self._project(entry.project) is None:
                return None
            if entry.record is None or entry.record.metadata_sha256 is None:
                return None
            try:
                content = offload(self._kept_metadata, entry)
            except OSError as error:
                if error.errno not in GONE:
                    raise IndexUnavailableError(f"{entry.relfn!a} cannot be looked at: {error}") from error
                content = None
            if content is not None:
                return content
            self.distrust(entry)
        return None

    def _kept_metadata(self, entry: PackageEntry) -> bytes | None:
        """The metadata that was kept of the very file that is there; its record is then that of the entry."""
        record = self._identities.known([entry])[entry]
        content = self.records.metadata(entry.relfn) if record else None
        if record is None or content is None or hashlib.sha256(content).hexdigest() != record.metadata_sha256:
            return None
        return content

    def distrust(self, entry: PackageEntry) -> None:
        """Say that what the index holds of a file is wrong; the next look reads its directory again."""
        entry.identity = None
        self.distrust_directory(entry.folder)

    def distrust_directory(self, path: str) -> None:
        """Say that what the index holds of a directory is wrong; the next look reads it again."""
        self._doubts[path] = object()

    def _read_directories(self, folders: Set[str]) -> None:
        """Look at the shared tree and at these folders."""
        doubts = dict(self._doubts)
        try:
            read = offload(self._read, folders, doubts)
        except OSError as error:
            raise IndexUnavailableError(f"the packages cannot be read: {error}") from error
        self._shared, self._snapshot, found = read
        for path in folders - found.keys():
            self._folders.pop(path, None)
        self._folders.update(found)
        for path, doubt in doubts.items():
            answered = path in folders or project_of_folder(path) is None
            if answered and self._doubts[path] is doubt:
                del self._doubts[path]

    def _read(self, folders: Set[str], distrusted: Collection[str]) -> tuple[Tree, Snapshot, Tree]:
        """The shared tree, its snapshot, and the folders."""
        known = {**self._shared, **{path: self._folders[path] for path in folders if path in self._folders}}
        tree = self._directory.read(known, folders, distrusted=distrusted)
        found = {path: tree[path] for path in folders if path in tree}
        shared = {path: seen for path, seen in tree.items() if path not in found}
        if len(shared) == len(self._shared) and all(seen is self._shared.get(path) for path, seen in shared.items()):
            return self._shared, self._snapshot, found
        return shared, self._snapshot.after(self._shared, shared), found

    def _look_at_all(self) -> None:
        """Look at everything."""
        for _ in range(_ATTEMPTS):
            self._look(BY_PROJECT)
            generation = self._snapshot.generation
            holder = self._folder(BY_PROJECT)
            # Also those that are known and may be gone.
            folders = [*{*(holder.content.subdirectories if holder else ()), *self._folders}]
            for start in range(0, len(folders), _FOLDERS_AT_ONCE):
                self._look(*folders[start : start + _FOLDERS_AT_ONCE])
            if self._snapshot.generation == generation:  # else a package may have moved to a folder already looked at
                return

    def _all_directories(self) -> list[Mapping[str, PackageEntry]]:
        """The packages of all directories, as they are known, the shared tree as one."""
        for path in self._folders:
            self._folder(path)
        return [self._snapshot.by_path, *(folder.content.entries for folder in self._project_folders())]

    def _project_folders(self) -> Iterator[ScannedDirectory]:
        return (folder for path, folder in self._folders.items() if path != BY_PROJECT)

    def _names(self) -> Set[str]:
        holder = self._folder(BY_PROJECT)
        folders = holder.content.subdirectories if holder else ()
        return self._snapshot.by_project.keys() | {path.rpartition("/")[2] for path in folders}

    def _folder(self, path: str) -> ScannedDirectory | None:
        folder = self._folders.get(path)
        if folder is not None and folder.error is not None:
            raise IndexUnavailableError(f"{path!a} cannot be read: {folder.error}") from folder.error
        return folder

    def _entries(self, project: str) -> tuple[PackageEntry, ...]:
        """What may be files of a project, as it is known."""
        folder = self._folder(project_folder(project))
        return (*self._snapshot.by_project.get(project, ()), *(folder.content.entries.values() if folder else ()))

    def _project(self, project: str) -> _RenderedProject | None:
        for _ in range(_ATTEMPTS):
            self._look(*_folders_of(project))
            held = self._held(project)
            if held:
                return held
            render = self._rendering.setdefault(project, CoalescedCall(partial(self._render, project)))
            try:
                return render()
            except OSError as error:
                if error.errno in GONE:
                    # A file went after the look. If none went, the index was wrong.
                    for path in {entry.folder for entry in self._entries(project)}:
                        self.distrust_directory(path)
                    continue
                raise IndexUnavailableError(f"the packages of {project!a} cannot be read: {error}") from error
        raise IndexUnavailableError(f"the packages of {project!a} change faster than they can be read")

    def _held(self, project: str) -> _RenderedProject | None:
        """The rendered listing of a project, if it is of what is known."""
        held = self._projects.get(project)
        folder = self._folder(project_folder(project))
        if held and held.generation == self._snapshot.generation and held.folder is folder:
            return held
        return None

    def _render(self, project: str) -> _RenderedProject | None:
        entries = self._entries(project)
        if not entries:
            return None
        held = self._held(project)
        if held:
            return held
        held = self._projects.get(project)
        generation, folder = self._snapshot.generation, self._folder(project_folder(project))
        yanks = {*self._snapshot.yanked, *folder.content.yanked} if folder else self._snapshot.yanked
        found: Found = offload(self._identities.known, entries)
        if not all(found.values()):
            with self._reading:
                found = offload(self._identities.read, found)
        found = {entry: record for entry, record in found.items() if not record or record.project in (None, project)}
        if not found:
            return None
        marked = [entry.relfn for entry in found if entry.relfn in yanks]
        yanked: dict[str, str] = offload(self._reasons, marked) if marked else {}
        same = held is not None and (held.found, held.yanked) == (found, yanked)
        pages: ListingPages = held.pages if held and same else offload(project_pages, project, found, yanked)
        listed = _RenderedProject(found, yanked, pages, generation, folder)
        if all(record and record == entry.record and entry.is_settled for entry, record in found.items()):
            self._projects.hold(project, listed)
        return listed

    def _reasons(self, relfns: list[str]) -> dict[str, str]:
        reasons = {relfn: yank_reason(self._root, relfn) for relfn in relfns}
        return {relfn: reason for relfn, reason in reasons.items() if reason is not None}

    def _render_root(self) -> ListingPages:
        names = self._names()
        if names != self._root_pages[0]:
            self._root_pages = names, offload(root_pages, names)
        return self._root_pages[1]

    def _render_packages(self) -> ListingPage:
        directories = self._all_directories()
        listed, page = self._all_packages
        if [*map(id, directories)] != [*map(id, listed)]:
            page = offload(_packages_of, directories)
            self._all_packages = directories, page
        return page


@lru_cache(maxsize=4096)
def _folders_of(project: str) -> tuple[str, ...]:
    """The folder of a project; none where no folder can have its name."""
    return (project_folder(project),) if is_project_name(project) else ()


def _packages_of(directories: Iterable[Mapping[str, PackageEntry]]) -> ListingPage:
    return packages_page([entry.relfn for directory in directories for entry in directory.values()])


class _RenderedProjects:
    """The listings asked for last, up to a number of bytes."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, _RenderedProject] = OrderedDict()
        self._bytes = 0

    def get(self, project: str) -> _RenderedProject | None:
        held = self._held.get(project)
        if held:
            self._held.move_to_end(project)
        return held

    def hold(self, project: str, listed: _RenderedProject) -> None:
        if held := self._held.pop(project, None):
            self._bytes -= held.size_bytes
        self._held[project] = listed
        self._bytes += listed.size_bytes
        while self._bytes > _HELD_PAGES_BYTES:
            _, dropped = self._held.popitem(last=False)
            self._bytes -= dropped.size_bytes
