"""pypiserver's simple-dir without what holds no packages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pypiserver.backend import all_listed_files

from pypiserver_stack.container.base.excluded_paths import is_excluded, is_unprintable
from pypiserver_stack.container.base.project_folders import BY_PROJECT, project_of_folder
from pypiserver_stack.container.base.records import RecordStore
from pypiserver_stack.container.pypiserver_hooks.package_file import PackageFile
from pypiserver_stack.container.pypiserver_hooks.removal import RemovingBackend


class WalkingBackend(RemovingBackend):
    """Walks the tree as pypiserver does, for every answer, and passes over what is left out."""

    def __init__(self, config: Any, records: RecordStore) -> None:
        super().__init__(config)
        self.records = records

    def get_all_packages(self) -> Iterator[PackageFile]:
        for root in self.roots:
            for relfn in _listed(root):
                if package := PackageFile.at(str(root), relfn, project_of_folder(relfn.rpartition("/")[0])):
                    yield package

    def exists(self, filename: str) -> bool:
        return any(relfn.rpartition("/")[2] == filename for root in self.roots for relfn in _listed(root))


def _listed(root: Path) -> Iterator[str]:
    """Paths from the root."""
    prefix = len(str(root)) + 1
    for file in all_listed_files(root):
        relfn = str(file)[prefix:]
        folder, _, name = relfn.rpartition("/")
        if not is_excluded(folder) and not is_unprintable(name) and not _is_misplaced(folder):
            yield relfn


def _is_misplaced(folder: str) -> bool:
    """Whether a folder is among those of the projects and is of none."""
    return folder.partition("/")[0] == BY_PROJECT and project_of_folder(folder) is None
