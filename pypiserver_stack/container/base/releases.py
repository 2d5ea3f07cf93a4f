"""Releases: project and version of a file by its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pypiserver.pkg_helpers import guess_pkgname_and_version, normalize_pkgname

from pypiserver_stack.container.base.core_metadata import named_release
from pypiserver_stack.container.base.versions import is_version, version_key
from pypiserver_stack.container.base.yanks import YANKED

_SDIST_SUFFIX = re.compile(r"\.(zip|tar\.gz|tgz|tar\.bz2|tar\.xz)(\.asc)?$", re.I)


class Release(NamedTuple):
    """A version of a project, as a file name spells them."""

    name: str
    version: str
    """Without the build number of a wheel."""

    @property
    def project(self) -> str:
        """The normalised name (PEP 503)."""
        return normalize_pkgname(self.name)  # type: ignore[no-any-return]


def releases_of(filename: str) -> tuple[Release, ...]:
    """The releases that a file may be one of by its name, the likeliest first; none for a file that is no package.

    Only a source distribution can have several, and its core metadata decides: "lib-1-2.zip" is 1.post2 of lib or 2 of
    lib-1. A name without a project, "-1.0.tar.gz", has none: a listing would link to the root of the server.
    """
    # pypiserver takes whatever follows "-py3.8-" for the end of a package's name.
    guessed = None if filename.endswith(YANKED) else guess_pkgname_and_version(filename)
    if guessed is None:
        return ()
    guess = Release(*guessed)
    if filename.endswith((".whl", ".whl.asc")):
        # In a wheel's name a hyphen ends the version. "1.0-1" is build 1 of 1.0 there, and 1.0.post1 anywhere else.
        guess = guess._replace(version=guess.version.partition("-")[0])
    elif (stem := _SDIST_SUFFIX.sub("", filename)) != filename and stem.count("-") > 1:
        # pypiserver takes the first hyphen before a digit for the end of the project.
        splits = [split for split in _splits(stem) if is_version(split.version)]
        if splits:
            return tuple(sorted(splits, key=lambda split: split != guess))
    return (guess,) if guess.project.strip("-") else ()


def _splits(stem: str) -> Iterator[Release]:
    for match in re.finditer(r"(?<=[^-_.])-(?=v?\d)", stem, re.I):
        yield Release(stem[: match.start()], stem[match.end() :])


def release_of(filename: str, metadata: bytes | None = None) -> Release | None:
    """The release that a file is listed as; None for a file that is no package.

    Args:
        metadata: core metadata, for a file whose name leaves it open.
    """
    releases = releases_of(filename)
    if len(releases) > 1 and metadata is not None:
        named = named_release(metadata)
        return next((release for release in releases if agree(release, *named)), releases[0])
    return releases[0] if releases else None


def variant_of(filename: str, *, builds: bool) -> tuple[str, ...]:
    """What tells one file of a release from its others, however the two are spelled.

    For a wheel its tags; a release has one source distribution, in whatever kind of archive.

    Args:
        builds: the build number of a wheel tells it from others too.
    """
    lower = filename.lower()
    if lower.endswith(".whl"):
        _, version = guess_pkgname_and_version(filename) or ("", "")
        build = version.partition("-")[2] if builds else ""
        return (*lower.removesuffix(".whl").split("-")[-3:], build)
    is_sdist = _SDIST_SUFFIX.search(filename) and not lower.endswith(".asc")
    return ("sdist",) if is_sdist else (lower,)


def agree(release: Release, name: str | None, version: str | None) -> bool:
    """Whether a release has this name, by PEP 503, and this version, by PEP 440. None and "" agree with any."""
    return (not name or normalize_pkgname(name) == release.project) and (
        not version or version_key(version) == version_key(release.version)
    )
