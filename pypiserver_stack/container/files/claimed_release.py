"""Release that an upload's form claims, held against the one that the name of its file will be listed as."""

from __future__ import annotations

import re

from pypiserver.pkg_helpers import normalize_pkgname

from pypiserver_stack.container.base.releases import release_of, version_key


def contradiction(filename: str, name: str, version: str) -> str | None:
    """What is wrong and what to do about it; None where both speak of the same release.

    Args:
        filename: that of a package.
        name, version: as the form has them; empty where it has none.
    """
    listed = release_of(filename)
    if listed is None or _agree(filename, name, version):
        return None
    claimed = " ".join(filter(None, [name, version]))
    sentence = (
        f"{filename!a} would be listed as version {listed.version!a} of the project {listed.project!a}, but the form "
        f"says {claimed!a}."
    )
    renamed = _renamed(filename, name, version)
    if renamed is None:
        return f"{sentence} Upload it under the name and the version that its file name has."
    return f"{sentence} Rename it to {renamed}, as setuptools 69.3 and newer do, and upload that."


def _agree(filename: str, name: str, version: str) -> bool:
    listed = release_of(filename)
    return listed is not None and (
        (not name or normalize_pkgname(name) == listed.project)
        and (not version or version_key(version) == version_key(listed.version))
    )


def _renamed(filename: str, name: str, version: str) -> str | None:
    """The file name of the release that the form claims; None where the two differ in more than their spelling."""
    if not name or not filename.lower().startswith(f"{name}-".lower()):
        return None
    renamed = re.sub(r"[-.]+", "_", name) + filename[len(name) :]
    return renamed if _agree(renamed, name, version) else None
