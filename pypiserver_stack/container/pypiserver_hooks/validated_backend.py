"""pypiserver backend over the validated index, for the routes that pypiserver itself answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from pypiserver.bottle_wrapper import HTTPError
from pypiserver.pkg_helpers import normalize_pkgname

from pypiserver_stack.container.base.core_metadata import core_metadata
from pypiserver_stack.container.base.releases import release_of, releases_of
from pypiserver_stack.container.files.package_store import PackageStore
from pypiserver_stack.container.index.directory import PackageEntry
from pypiserver_stack.container.index.looks import IndexUnavailableError
from pypiserver_stack.container.index.package_index import PackageIndex
from pypiserver_stack.container.pypiserver_hooks.package_file import PackageFile
from pypiserver_stack.container.pypiserver_hooks.removal import RemovingBackend

_CHUNK_BYTES = 2**20


class ValidatedBackend(RemovingBackend):
    """Lists from the index, and writes through the package store."""

    def __init__(self, config: Any, index: PackageIndex, store: PackageStore) -> None:
        super().__init__(config)
        self.records = index.records
        self._index = index
        self._store = store
        self._overwrite: bool = config.overwrite

    def get_all_packages(self) -> Iterator[PackageFile]:
        with _unavailability():
            return self._packages(self._index.all_packages())

    def find_project_packages(self, project: str) -> Iterator[PackageFile]:
        with _unavailability():
            return self._packages(self._index.packages(normalize_pkgname(project)))

    def get_projects(self) -> set[str]:
        with _unavailability():
            return set(self._index.projects())

    def exists(self, filename: str) -> bool:
        projects = {release.project for release in releases_of(filename)}
        with _unavailability():
            return any(entry.name == filename for project in projects for entry in self._index.packages(project))

    def package_count(self) -> int:
        """Not all: the welcome page, which asks for it, shows none, and a count would cost a look at every folder."""
        return self._index.known_count()

    def digest(self, pkg: PackageFile) -> str | None:
        """As pypiserver's, but that a file which is gone meanwhile has none."""
        if self.hash_algo != "sha256":
            digest: str | None = super().digest(pkg)
            return digest
        with _unavailability():
            record = self._index.record(str(pkg.relfn))
        return f"sha256={record.sha256}" if record else None

    def add_package(self, filename: str, stream: BinaryIO) -> None:
        with self._store.incoming() as incoming:
            while chunk := stream.read(_CHUNK_BYTES):
                incoming.write(chunk)
            try:
                metadata = incoming.read(lambda file: core_metadata(file, filename))
                release = release_of(filename, metadata)
                if release is None:
                    raise HTTPError(400, f"Bad filename: {filename!a}")
                incoming.publish(filename, release.project, overwrite=self._overwrite, metadata=metadata)
            except FileExistsError as error:
                raise HTTPError(409, f"Package {filename!r} already exists!") from error

    def remove_package(self, pkg: PackageFile) -> None:
        """As for both backends; the next answer no longer has the file."""
        super().remove_package(pkg)
        self._index.distrust_directory(str(pkg.relfn).rpartition("/")[0])

    def _packages(self, entries: Iterable[PackageEntry]) -> Iterator[PackageFile]:
        packages = (PackageFile.at(str(self.roots[0]), entry.relfn, entry.project) for entry in entries)
        return (package for package in packages if package)


@contextmanager
def _unavailability() -> Iterator[None]:
    try:
        yield
    except IndexUnavailableError as error:
        raise HTTPError(503, str(error), headers={"Retry-After": "2"}) from error
