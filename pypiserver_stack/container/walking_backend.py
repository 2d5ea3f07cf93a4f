"""pypiserver's simple-dir without the folders that hold no packages."""

from __future__ import annotations

from typing import Iterator

from left_out import is_left_out
from pypiserver.backend import SimpleFileBackend, all_listed_files
from pypiserver.core import PkgFile


class WalkingBackend(SimpleFileBackend):  # type: ignore[misc]
    """Walks the tree as pypiserver does, for every answer, and passes over what is left out."""

    def get_all_packages(self) -> Iterator[PkgFile]:
        return (package for package in super().get_all_packages() if not _left_out(package.relfn))

    def exists(self, filename: str) -> bool:
        return any(
            file.name == filename and not _left_out(str(file.relative_to(root)))
            for root in self.roots
            for file in all_listed_files(root)
        )


def _left_out(relfn: str) -> bool:
    return is_left_out(relfn.rpartition("/")[0])
