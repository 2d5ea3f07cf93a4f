"""The index: what pypiserver lists, held in memory and proved to be so for each request.

Every answer rests on a look, begun after the request arrived, at all directories that may hold a file of it: the shared
tree, and the project's folder.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Set
from functools import lru_cache, partial
from pathlib import Path
from threading import Semaphore
from typing import NamedTuple
from weakref import WeakValueDictionary

from pypiserver_stack.container.base.batched_call import BatchedCall
from pypiserver_stack.container.base.offload import offload
from pypiserver_stack.container.base.project_folders import (
    BY_PROJECT,
    LONGEST_NAME_BYTES,
    is_project_name,
    project_folder,
    project_of_folder,
)
from pypiserver_stack.container.base.records import FileKey, PackageRecord, RecordStore
from pypiserver_stack.container.base.releases import releases_of
from pypiserver_stack.container.base.system_calls import GONE, SystemCalls
from pypiserver_stack.container.base.yanks import yank_reason
from pypiserver_stack.container.index.directory import FileIdentity, PackageEntry, PackageTree, ScannedDirectory
from pypiserver_stack.container.index.identities import FileIdentities, Found
from pypiserver_stack.container.index.looks import IndexUnavailableError, Looks, View, newest
from pypiserver_stack.container.index.pages import ListingPage, ListingPages, packages_page, project_pages, root_pages

_ATTEMPTS = 5
_HELD_PAGES_BYTES = 64 * 2**20
# Fewer than there are threads to offload to: projects full of large new files leave the others to everybody else.
_PROJECTS_READ_AT_ONCE = 2


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
        self._identities = FileIdentities(root, records, margin_s, calls)
        self._looks = Looks(PackageTree(root, margin_s, calls))
        self._root_page = BatchedCall(self._render_root)
        self._packages_page = BatchedCall(self._render_packages)
        self._root_pages: tuple[Mapping[str, object], tuple[str, ...], ListingPages] = ({}, (), root_pages([]))
        self._all_packages: tuple[list[Mapping[str, PackageEntry]], ListingPage] = ([], packages_page([]))
        self._projects = _RenderedProjects()
        self._reading = Semaphore(_PROJECTS_READ_AT_ONCE)
        self._rendering: WeakValueDictionary[str, BatchedCall[View, _RenderedProject | None]] = WeakValueDictionary()

    def project_page(self, project: str, as_json: bool) -> ListingPage | None:
        """The listing of a project; None if there is none by this normalised name.

        Raises:
            IndexUnavailableError: the packages cannot be read; as do all methods that look at them.
        """
        listed = self._project(project)
        return listed and (listed.pages.json if as_json else listed.pages.html)

    def root_page(self, as_json: bool) -> ListingPage:
        """The listing of all projects."""
        pages = self._root_page(self._looks.look(BY_PROJECT))
        return pages.json if as_json else pages.html

    def packages_page(self) -> ListingPage:
        """The page of all files."""
        return self._packages_page(self._looks.look_at_all())

    def projects(self) -> Set[str]:
        """The normalised names of all projects, and those of folders that hold no file."""
        return _names(self._looks.look(BY_PROJECT))

    def all_packages(self) -> Iterator[PackageEntry]:
        """All packages. This looks at the folder of every project."""
        directories = self._looks.look_at_all().directories()
        return (entry for directory in directories for entry in directory.values())

    def known_count(self) -> int:
        """How many packages outside the folders of projects this worker knows of, without a look."""
        return self._looks.known_count()

    def packages(self, project: str) -> Iterable[PackageEntry]:
        """The files of a project, by its normalised name."""
        entries = self._looks.look(*_folders_of(project)).entries(project)
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
        """A package by its path from the root. One that is known is not looked for again: who opens it will see."""
        folder, _, name = relfn.rpartition("/")
        known = self._looks.known(folder, name)
        if known is not None:
            return known
        if project_of_folder(folder) is None:
            return self._looks.look().snapshot.by_path.get(relfn)
        found = self._looks.look(folder).folder(folder)
        return found.content.entries.get(name) if found else None

    def find_by_name(self, name: str) -> PackageEntry | None:
        """A package in the folder of its project, by its file name alone."""
        paths = [path for release in releases_of(name) for path in _folders_of(release.project)]
        view = self._looks.look(*paths)
        for path in paths:
            if (folder := view.folder(path)) and name in folder.content.entries:
                return folder.content.entries[name]
        return None

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
        """Say that what the index holds of a directory is wrong; the next look at it reads it again."""
        self._looks.distrust(path)

    def _project(self, project: str) -> _RenderedProject | None:
        for _ in range(_ATTEMPTS):
            view = self._looks.look(*_folders_of(project))
            if held := self._held(project, view):
                return held
            render = self._rendering.setdefault(project, BatchedCall(partial(self._render, project)))
            try:
                return render(view)
            except OSError as error:
                if error.errno in GONE:
                    # A file went after the look. If none went, the index was wrong.
                    for path in {entry.folder for entry in view.entries(project)}:
                        self.distrust_directory(path)
                    continue
                raise IndexUnavailableError(f"the packages of {project!a} cannot be read: {error}") from error
        raise IndexUnavailableError(f"the packages of {project!a} change faster than they can be read")

    def _held(self, project: str, view: View) -> _RenderedProject | None:
        """The rendered listing of a project, if it is of what the view has."""
        held = self._projects.get(project)
        folder = view.folder(project_folder(project))
        if held and held.generation == view.snapshot.generation and held.folder is folder:
            return held
        return None

    def _render(self, project: str, views: Set[View]) -> _RenderedProject | None:
        view = newest(views)
        entries = view.entries(project)
        if not entries:
            return None
        if held := self._held(project, view):
            return held
        held = self._projects.get(project)
        folder = view.folder(project_folder(project))
        yanks = {*view.snapshot.yanked, *folder.content.yanked} if folder else view.snapshot.yanked
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
        listed = _RenderedProject(found, yanked, pages, view.snapshot.generation, folder)
        if all(record and record == entry.record and entry.is_settled for entry, record in found.items()):
            self._projects.hold(project, listed)
        return listed

    def _reasons(self, relfns: list[str]) -> dict[str, str]:
        reasons = {relfn: yank_reason(self._root, relfn) for relfn in relfns}
        return {relfn: reason for relfn, reason in reasons.items() if reason is not None}

    def _render_root(self, views: Set[View]) -> ListingPages:
        view = newest(views)
        projects, paths = view.snapshot.by_project, view.folder_paths()
        listed_projects, listed_paths, pages = self._root_pages
        if projects is not listed_projects or paths != listed_paths:
            pages = offload(_root_of, view)
            self._root_pages = projects, paths, pages
        return pages

    def _render_packages(self, views: Set[View]) -> ListingPage:
        directories = newest(views).directories()
        listed, page = self._all_packages
        if [*map(id, directories)] != [*map(id, listed)]:
            page = offload(_packages_of, directories)
            self._all_packages = directories, page
        return page


def _folders_of(project: str) -> tuple[str, ...]:
    """The folder of a project; none where no folder can have its name."""
    return _folder_of(project) if len(project) <= LONGEST_NAME_BYTES else ()


@lru_cache(maxsize=4096)
def _folder_of(project: str) -> tuple[str, ...]:
    return (project_folder(project),) if is_project_name(project) else ()


def _names(view: View) -> Set[str]:
    return view.snapshot.by_project.keys() | {path.rpartition("/")[2] for path in view.folder_paths()}


def _root_of(view: View) -> ListingPages:
    return root_pages(_names(view))


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
