"""The packages of the shared tree by path and by project."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from pypiserver_stack.container.index.directory import PackageEntry, Tree


class Snapshot(NamedTuple):
    """Result of one validation. Never changed: the next one is made from it."""

    by_path: Mapping[str, PackageEntry]
    by_project: Mapping[str, tuple[PackageEntry, ...]]
    """Keys are normalised names. A file whose name leaves its release open is in each project that it may belong to."""
    yanked: frozenset[str]
    """Paths of packages beside which a yank is kept."""
    generation: int
    """Grows with each validation that did not find everything unchanged."""

    def after(self, known: Tree, tree: Tree) -> Snapshot:
        """The snapshot of `tree`, where this one is that of `known`: one look at each name, work for what differs."""
        gone, new = _difference(known, tree)
        yanked = frozenset(path for seen in tree.values() for path in seen.content.yanked)
        if not gone and not new:
            return self._replace(yanked=yanked, generation=self.generation + 1)
        directories = [seen.content.entries for seen in tree.values()]
        by_path: Mapping[str, PackageEntry] = directories[0]  # the root's names are paths already
        if len(directories) > 1:
            by_path = {entry.relfn: entry for entries in directories for entry in entries.values()}
        return Snapshot(by_path, self._by_project(gone, new), yanked, self.generation + 1)

    def _by_project(self, gone: set[PackageEntry], new: list[PackageEntry]) -> dict[str, tuple[PackageEntry, ...]]:
        arrived = defaultdict(list)
        for entry in new:
            for possible in (entry, *entry.others):
                arrived[possible.project].append(possible)
        gone = {possible for entry in gone for possible in (entry, *entry.others)}
        by_project = dict(self.by_project)
        for project in {*arrived, *(entry.project for entry in gone)}:
            stayed = [entry for entry in by_project.pop(project, ()) if entry not in gone]
            if entries := (*stayed, *arrived[project]):
                by_project[project] = entries
        return by_project


NOTHING = Snapshot({}, {}, frozenset(), 0)


def _difference(known: Tree, tree: Tree) -> tuple[set[PackageEntry], list[PackageEntry]]:
    """Entries that are in `known` alone, and in `tree` alone."""
    gone: set[PackageEntry] = set()
    new: list[PackageEntry] = []
    for path in {**known, **tree}:
        before = known[path].content.entries if path in known else {}
        after = tree[path].content.entries if path in tree else {}
        if before is not after:  # and of one name there is one entry, which a scan reuses
            gone.update(before[name] for name in before.keys() - after.keys())
            new += [after[name] for name in after.keys() - before.keys()]
    return gone, new
