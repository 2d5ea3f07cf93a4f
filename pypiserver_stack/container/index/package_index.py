"""The index: what pypiserver lists, held in memory and proved to be so for each request.

Every answer rests on a look at the directories that began after the request arrived.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from threading import Semaphore
from typing import NamedTuple
from weakref import WeakValueDictionary

from pypiserver_stack.container.base.coalesced_call import CoalescedCall
from pypiserver_stack.container.base.offload import offload
from pypiserver_stack.container.base.records import FileKey, PackageRecord, RecordStore
from pypiserver_stack.container.base.system_calls import GONE, SystemCalls
from pypiserver_stack.container.base.yanks import yank_reason
from pypiserver_stack.container.index.directory import FileIdentity, PackageEntry, PackageTree, Tree
from pypiserver_stack.container.index.identities import FileIdentities, Found
from pypiserver_stack.container.index.pages import ListingPage, ListingPages, packages_page, project_pages, root_pages
from pypiserver_stack.container.index.snapshot import NOTHING, Snapshot

_ATTEMPTS = 5
_HELD_PAGES_BYTES = 64 * 2**20
# Fewer than there are threads to offload to: projects full of large new files leave the others to everybody else.
_PROJECTS_READ_AT_ONCE = 2


class IndexUnavailableError(Exception):
    """The directory of the packages cannot be read at the moment."""


class _RenderedProject(NamedTuple):
    """A project's listing, and what it was made from."""

    found: Found
    yanked: dict[str, str]
    """Reasons by path."""
    pages: ListingPages
    generation: int

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
        self._tree: Tree = {}
        self._snapshot = NOTHING
        # Replaced when somebody doubts the index, and noted by the validation that read everything because of it.
        self._doubt = self._answered_doubt = object()
        self._validated = CoalescedCall(self._validate)
        self._root_page = CoalescedCall(self._render_root)
        self._packages_page = CoalescedCall(self._render_packages)
        self._all_packages: tuple[Mapping[str, object], ListingPage] = ({}, packages_page([]))
        self._root_pages: tuple[Mapping[str, object], ListingPages] = ({}, root_pages([]))
        self._projects = _RenderedProjects()
        self._reading = Semaphore(_PROJECTS_READ_AT_ONCE)
        self._rendering: WeakValueDictionary[str, CoalescedCall[_RenderedProject | None]] = WeakValueDictionary()

    def snapshot(self) -> Snapshot:
        """All packages.

        Raises:
            IndexUnavailableError: they cannot be read; as do all methods that look at the directory.
        """
        return self._validated()

    def project_page(self, project: str, as_json: bool) -> ListingPage | None:
        """The listing of a project; None if there is none by this normalised name."""
        listed = self._project(project)
        return listed and (listed.pages.json if as_json else listed.pages.html)

    def root_page(self, as_json: bool) -> ListingPage:
        """The listing of all projects."""
        self._validated()
        pages = self._root_page()
        return pages.json if as_json else pages.html

    def packages_page(self) -> ListingPage:
        """The page of all files."""
        self._validated()
        return self._packages_page()

    def packages(self, project: str) -> Iterable[PackageEntry]:
        """The files of a project, by its normalised name."""
        entries = self._validated().by_project.get(project, ())
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
        entry = self._snapshot.by_path.get(relfn)
        if entry is None or self._doubt is not self._answered_doubt:
            entry = self._validated().by_path.get(relfn)
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

    def distrust(self, entry: PackageEntry | None = None) -> None:
        """Say that the index, or what it holds of `entry`, is wrong; the next validation reads everything again."""
        if entry is not None:
            entry.identity = None
        self._doubt = object()

    def _validate(self) -> Snapshot:
        doubt = self._doubt
        try:
            trusted = doubt is self._answered_doubt
            self._tree, self._snapshot = offload(self._read, self._tree, self._snapshot, trusted)
        except OSError as error:
            raise IndexUnavailableError(f"the packages cannot be read: {error}") from error
        self._answered_doubt = doubt
        return self._snapshot

    def _read(self, known: Tree, snapshot: Snapshot, trust: bool) -> tuple[Tree, Snapshot]:
        tree = self._directory.read(known, trust=trust)
        return tree, snapshot if tree is known else snapshot.after(known, tree)

    def _project(self, project: str) -> _RenderedProject | None:
        for _ in range(_ATTEMPTS):
            snapshot = self._validated()
            if project not in snapshot.by_project:
                return None
            held = self._projects.get(project)
            if held and held.generation == snapshot.generation:
                return held
            render = self._rendering.setdefault(project, CoalescedCall(partial(self._render, project)))
            try:
                return render()
            except OSError as error:
                if error.errno in GONE:
                    # A file went after the validation. If none went, the index was wrong.
                    self.distrust()
                    continue
                raise IndexUnavailableError(f"the packages of {project!a} cannot be read: {error}") from error
        raise IndexUnavailableError(f"the packages of {project!a} change faster than they can be read")

    def _render(self, project: str) -> _RenderedProject | None:
        snapshot = self._snapshot
        if project not in snapshot.by_project:
            return None
        held = self._projects.get(project)
        if held and held.generation == snapshot.generation:
            return held
        found: Found = offload(self._identities.known, snapshot.by_project[project])
        if not all(found.values()):
            with self._reading:
                found = offload(self._identities.read, found)
        found = {entry: record for entry, record in found.items() if not record or record.project in (None, project)}
        if not found:
            return None
        marked = [entry.relfn for entry in found if entry.relfn in snapshot.yanked] if snapshot.yanked else []
        yanked: dict[str, str] = offload(self._reasons, marked) if marked else {}
        same = held is not None and (held.found, held.yanked) == (found, yanked)
        pages: ListingPages = held.pages if held and same else offload(project_pages, project, found, yanked)
        listed = _RenderedProject(found, yanked, pages, snapshot.generation)
        if all(record and record == entry.record and entry.is_settled for entry, record in found.items()):
            self._projects.hold(project, listed)
        return listed

    def _reasons(self, relfns: list[str]) -> dict[str, str]:
        reasons = {relfn: yank_reason(self._root, relfn) for relfn in relfns}
        return {relfn: reason for relfn, reason in reasons.items() if reason is not None}

    def _render_root(self) -> ListingPages:
        if self._root_pages[0] is not self._snapshot.by_project:
            self._root_pages = offload(_root_of, self._snapshot.by_project, *self._root_pages)
        return self._root_pages[1]

    def _render_packages(self) -> ListingPage:
        if self._all_packages[0] is not self._snapshot.by_path:
            self._all_packages = offload(_packages_of, self._snapshot.by_path)
        return self._all_packages[1]


def _packages_of(by_path: Mapping[str, object]) -> tuple[Mapping[str, object], ListingPage]:
    return by_path, packages_page(by_path)


def _root_of(
    projects: Mapping[str, object], listed: Mapping[str, object], pages: ListingPages
) -> tuple[Mapping[str, object], ListingPages]:
    return projects, pages if projects.keys() == listed.keys() else root_pages(projects)


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
