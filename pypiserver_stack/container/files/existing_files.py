"""Files that exist, and that an upload may not replace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pypiserver.bottle_wrapper import HTTPError

from pypiserver_stack.container.base.releases import agree, releases_of, variant_of
from pypiserver_stack.container.files.package_store import StoreError


class ExistingFiles:
    """What the backend has. Every method raises `StoreError` where that cannot be known at the moment."""

    def __init__(self, config: Any, *, builds_allowed: bool) -> None:
        """
        Args:
            config: pypiserver's; its `backend` says what exists, `overwrite` whether that matters.
            builds_allowed: another build of a wheel that exists is another file.
        """
        self._config = config
        self._builds_allowed = builds_allowed

    def rival_of(self, filename: str) -> str | None:
        """The file in whose place installers would take an upload: of that name, or of a name that is as good.

        As good are another spelling of the project or the version, another build of a wheel, and another archive of
        the source. None where there is no such file, or where files may be overwritten.
        """
        if self._config.overwrite:
            return None
        backend = self._config.backend
        wanted = variant_of(filename, builds=self._builds_allowed)
        with _backend_errors():
            if backend.exists(filename):
                return filename
            for release in releases_of(filename):
                for package in backend.find_project_packages(release.project):
                    name: str = package.relfn.rpartition("/")[2]
                    is_of_release = any(agree(other, release.name, release.version) for other in releases_of(name))
                    if is_of_release and variant_of(name, builds=self._builds_allowed) == wanted:
                        return name
        return None

    def exists(self, filename: str) -> bool:
        """Whether there is a file of that name."""
        with _backend_errors():
            return bool(self._config.backend.exists(filename))

    def has(self, filename: str, sha256: str) -> bool:
        """Whether the file of that name, which exists, holds these bytes, wherever it lies."""
        backend = self._config.backend
        with _backend_errors():
            packages = [
                package
                for project in {release.project for release in releases_of(filename)}
                for package in backend.find_project_packages(project)
                if package.relfn.rpartition("/")[2] == filename
            ]
            if not packages:
                raise StoreError(f"{filename!a} was there and is gone", None)
            return {backend.digest(package) for package in packages} == {f"sha256={sha256}"}


@contextmanager
def _backend_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(str(error), error.errno) from error
    except HTTPError as error:  # it cannot know at the moment
        raise StoreError(str(error.body), None) from error
