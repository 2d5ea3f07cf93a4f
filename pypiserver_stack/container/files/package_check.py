"""Check of an upload: its name, its form and what it holds must speak of one release, and of a valid one."""

from __future__ import annotations

import re
from typing import BinaryIO, NamedTuple

from pypiserver_stack.container.base.core_metadata import NotAPackageError, checked_metadata, named_release
from pypiserver_stack.container.base.releases import agree, releases_of
from pypiserver_stack.container.base.versions import is_version

_NAME = re.compile(r"[A-Z0-9]([A-Z0-9._-]*[A-Z0-9])?", re.I | re.A)  # PEP 508
_WHEEL = re.compile(r"[^-]+-[^-]+(-\d[^-]*)?(-[\w.]+){3}(?<!\.whl)\.whl", re.I | re.A)  # PEP 427


class RefusedPackageError(Exception):
    """The package is not taken. The text says what is wrong, and what would be right."""


class CheckedPackage(NamedTuple):
    """What an upload is taken as."""

    project: str
    """The normalised name."""
    metadata: bytes | None
    """Its core metadata; None where it has none."""


def check_name(filename: str) -> None:
    """Refuse a file name that no release can have.

    Raises:
        RefusedPackageError
    """
    releases = releases_of(filename)
    if not releases:
        raise RefusedPackageError(f"Bad filename: {filename!a}")
    if filename.lower().endswith(".whl") and not _WHEEL.fullmatch(filename):
        raise RefusedPackageError(
            f"{filename!a} is no name of a wheel, and no installer would take it. A wheel is called "
            "NAME-VERSION-PYTHON-ABI-PLATFORM.whl, with -BUILD after the version if need be, which begins with a digit."
        )
    if not any(is_version(release.version) for release in releases):
        raise RefusedPackageError(
            f"{filename!a} has the version {releases[0].version!a}, which PEP 440 does not allow. Give the release a "
            "version such as 1.0, 1.0rc1, 1.0.post1 or 1.0+local, and build it again."
        )
    if not any(_NAME.fullmatch(release.name) for release in releases):
        raise RefusedPackageError(
            f"{filename!a} has the project name {releases[0].name!a}. A name has ASCII letters and digits, and in "
            "between '.', '-' and '_'."
        )


def check_content(file: BinaryIO, filename: str, name: str, version: str) -> CheckedPackage:
    """The package of that file name, which `check_name` has passed.

    Args:
        name, version: as the form has them; empty where it has none.

    Raises:
        RefusedPackageError: it is no archive, or of another release than its name or its form say.
    """
    releases = [release for release in releases_of(filename) if agree(release, name, version)]
    if not releases:
        raise RefusedPackageError(_contradiction(filename, name, version))
    try:
        metadata = None if filename.endswith(".asc") else checked_metadata(file, filename)
    except NotAPackageError as error:
        raise RefusedPackageError(f"{filename!a} {error}. Build it again, and upload it whole.") from error
    if metadata is None:
        return CheckedPackage(releases[0].project, None)
    inner_name, inner_version = named_release(metadata)  # of a wheel they are there, and its own
    agreed = [release for release in releases if agree(release, inner_name, inner_version)]
    if not agreed:
        inner = " ".join(filter(None, [inner_name, inner_version]))
        raise RefusedPackageError(
            f"{filename!a} would be listed as version {releases[0].version!a} of the project {releases[0].project!a}, "
            f"but the metadata in it says {inner!a}. Build it again: its name and its metadata must be of one release."
        )
    return CheckedPackage(agreed[0].project, metadata)


def _contradiction(filename: str, name: str, version: str) -> str:
    listed = releases_of(filename)[0]
    claimed = " ".join(filter(None, [name, version]))
    return (
        f"{filename!a} would be listed as version {listed.version!a} of the project {listed.project!a}, but the form "
        f"says {claimed!a}. Upload it under the name and the version that its file name has, or build it again."
    )
