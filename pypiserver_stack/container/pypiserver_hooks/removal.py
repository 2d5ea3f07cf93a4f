"""Removal of a release: all its files, however their names are spelled, and what was kept beside them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pypiserver.backend import BackendProxy, SimpleFileBackend
from pypiserver.bottle_wrapper import HTTPError

from pypiserver_stack.container.base.offload import offload
from pypiserver_stack.container.base.records import RecordStore
from pypiserver_stack.container.base.versions import version_key
from pypiserver_stack.container.files.package_store import remove_stored
from pypiserver_stack.container.pypiserver_hooks.package_file import PackageFile

_log = logging.getLogger("gunicorn.error")


class RemovingBackend(SimpleFileBackend):  # type: ignore[misc]
    """Removal by `:action=remove_pkg`, the same for both backends."""

    records: RecordStore

    def find_version(self, name: str, version: str) -> Iterator[PackageFile]:
        """The files of a release, builds and signatures too: names are compared by PEP 503, versions by PEP 440."""
        wanted = version_key(version)
        return (found for found in self.find_project_packages(name) if version_key(found.version) == wanted)

    def remove_package(self, pkg: PackageFile) -> None:
        """Remove one file of a release, as pypiserver asks for each in turn.

        Raises:
            HTTPError: 503, it cannot be removed. The answer says that the rest of the release may be half gone.
        """
        try:
            offload(remove_stored, Path(pkg.root), pkg.relfn, self.records)
        except OSError as error:
            _log.error("%a could not be removed: %s", pkg.relfn, error.strerror)
            sentence = (
                f"{pkg.relfn!a} could not be removed: {error.strerror}. Other files of {pkg.pkgname} {pkg.version} may "
                "be gone already. Remove it again once the cause is mended: what is left is removed then."
            )
            raise HTTPError(503, sentence, headers={"Retry-After": "10"}) from error


class NoRemovalProxy(BackendProxy):  # type: ignore[misc]
    """403 for each removal of an existing package: a cache in front may have kept its files."""

    def remove_package(self, pkg: Any) -> None:
        raise HTTPError(403, "Packages are not removed from this index.")
