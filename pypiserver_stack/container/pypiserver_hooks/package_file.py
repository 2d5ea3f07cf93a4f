"""pypiserver's package file, with versions in the order of PEP 440."""

from __future__ import annotations

from typing import Any

from pypiserver.core import PkgFile

from pypiserver_stack.container.base.releases import releases_of
from pypiserver_stack.container.base.versions import version_key


class PackageFile(PkgFile):  # type: ignore[misc]
    """Made anew for each answer: pypiserver keeps a digest in it for good."""

    def __init__(self, root: str, relfn: str, name: str, project: str, version: str) -> None:
        # Not by pypiserver's own, which parses the version of every file, sorted by it or not.
        self.pkgname, self.pkgname_norm, self.version = name, project, version
        self.root, self.fn, self.relfn, self.relfn_unix = root, f"{root}/{relfn}", relfn, relfn
        self.replaces = self.digest = self.digester = None

    @classmethod
    def at(cls, root: str, relfn: str, project: str | None = None) -> PackageFile | None:
        """The package at a path from `root`; None for a file that is none.

        Args:
            project: the normalised name, for a file whose own leaves it open.
        """
        for release in releases_of(relfn.rpartition("/")[2]):
            if project in (None, release.project):
                return cls(root, relfn, release.name, release.project, release.version)
        return None

    @property
    def parsed_version(self) -> tuple[Any, ...]:
        """What pypiserver sorts by."""
        return version_key(self.version)
