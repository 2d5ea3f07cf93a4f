"""Releases: project and version of a file by its name, and the order of versions (PEP 440)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from packaging.version import Version
from pypiserver.pkg_helpers import guess_pkgname_and_version, normalize_pkgname, parse_version


class Release(NamedTuple):
    """A version of a project, as a file name spells them."""

    name: str
    version: str
    """Without the build number of a wheel."""

    @property
    def project(self) -> str:
        """The normalised name (PEP 503)."""
        return normalize_pkgname(self.name)  # type: ignore[no-any-return]


def release_of(filename: str) -> Release | None:
    """The release that pypiserver takes a file for; None for a file that is no package.

    A name without a project, "-1.0.tar.gz", is none either: a listing would link to the root of the server.
    """
    guessed = guess_pkgname_and_version(filename)
    if guessed is None:
        return None
    name, version = guessed
    if "-" in version and filename.endswith((".whl", ".whl.asc")):
        # In a wheel's name a hyphen ends the version. "1.0-1" is build 1 of 1.0 there, and 1.0.post1 anywhere else.
        version = version.partition("-")[0]
    release = Release(name, version)
    return release if release.project.strip("-") else None


@lru_cache(maxsize=4096)
def version_key(version: str) -> tuple[Any, ...]:
    """What versions are sorted and compared by: 1.0, 1.0.0 and v1.0 have the same key.

    What is no version of PEP 440 is older than all that are, in pypiserver's order.
    """
    try:
        return True, Version(version)
    except ValueError:  # not only InvalidVersion: Python refuses to read numbers of thousands of digits
        spelled = version.lower().replace("_", "-")  # what stands for a hyphen in a wheel's name
        return False, parse_version(spelled), spelled


def canonical_version(version: str) -> str:
    """The version as PEP 440 spells it; as it is where it is none."""
    is_version, key, *_ = version_key(version)
    return str(key) if is_version else version


def newest(versions: Iterable[str]) -> str:
    """The newest final version; the newest of all where none is final."""
    return max(versions, key=lambda version: (_is_final(version), version_key(version)))


def _is_final(version: str) -> bool:
    try:
        return not Version(version).is_prerelease
    except ValueError:
        return False
