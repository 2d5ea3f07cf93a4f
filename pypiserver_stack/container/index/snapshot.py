"""The packages of a tree by path, by project and by name."""

from __future__ import annotations

from collections import ChainMap, defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from pypiserver_stack.container.index.directory import Entry, Tree


class Snapshot(NamedTuple):
    """What one validation found. Never changed: the next one is made from it."""

    by_path: Mapping[str, Entry]
    by_project: Mapping[str, tuple[Entry, ...]]
    """Keys are normalised names."""
    names: Mapping[str, Entry]
    """By base name, some entry in some directory."""
    generation: int
    """Grows with each validation that did not find everything unchanged."""

    def after(self, known: Tree, tree: Tree) -> Snapshot:
        """The snapshot of `tree`, where this one is that of `known`: one look at each name, work for what differs."""
        gone, new = _difference(known, tree)
        if not gone and not new:
            return self._replace(generation=self.generation + 1)
        directories = [seen.listing.entries for seen in tree.values()]
        by_path: Mapping[str, Entry] = directories[0]  # the root's names are paths already
        if len(directories) > 1:
            by_path = {entry.relfn: entry for entries in directories for entry in entries.values()}
        return Snapshot(by_path, self._by_project(gone, new), ChainMap(*directories), self.generation + 1)

    def _by_project(self, gone: set[Entry], new: list[Entry]) -> dict[str, tuple[Entry, ...]]:
        arrived = defaultdict(list)
        for entry in new:
            arrived[entry.project].append(entry)
        by_project = dict(self.by_project)
        for project in {*arrived, *(entry.project for entry in gone)}:
            stayed = [entry for entry in by_project.pop(project, ()) if entry not in gone]
            if entries := (*stayed, *arrived[project]):
                by_project[project] = entries
        return by_project


NOTHING = Snapshot({}, {}, {}, 0)


def _difference(known: Tree, tree: Tree) -> tuple[set[Entry], list[Entry]]:
    """Entries that are in `known` alone, and in `tree` alone."""
    gone: set[Entry] = set()
    new: list[Entry] = []
    for path in {**known, **tree}:
        before = known[path].listing.entries if path in known else {}
        after = tree[path].listing.entries if path in tree else {}
        if before is not after:  # and of one name there is one entry, which a scan reuses
            gone.update(before[name] for name in before.keys() - after.keys())
            new += [after[name] for name in after.keys() - before.keys()]
    return gone, new
