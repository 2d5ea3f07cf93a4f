"""Folders of uploaded packages: one for each project, so that an upload changes a small directory and no other.

`by-project/PROJECT/` holds files of that project alone, under its normalised name; what else lies there is not listed.
Everywhere else under the root a file counts for the project in its name, in whatever folder it lies.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pypiserver.pkg_helpers import normalize_pkgname

from pypiserver_stack.container.base.system_calls import sync_directory

BY_PROJECT = "by-project"
LONGEST_NAME_BYTES = 255
"""Of a file or a folder."""
_ATTEMPTS = 5


def project_folder(project: str) -> str:
    """The folder of a project, by its normalised name; a path from the root."""
    return f"{BY_PROJECT}/{project}"


def project_of_folder(path: str) -> str | None:
    """The project whose folder this is; None for any other path."""
    parent, _, project = path.rpartition("/")
    return project if parent == BY_PROJECT and is_project_name(project) else None


def is_project_name(name: str) -> bool:
    """Whether a folder may have this name: that of a project, normalised."""
    if not name or not name.isprintable() or len(name.encode()) > LONGEST_NAME_BYTES or "/" in name:
        return False
    return bool(name == normalize_pkgname(name))


def in_folder(root: Path, project: str, place: Callable[[], object]) -> None:
    """Call `place`, which puts a file into the folder of a project; the folder is made where there is none.

    Raises:
        OSError: the folder cannot be made, or is a link, which no listing follows; and what `place` raises.
    """
    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            _refuse_links(root, project)
            place()
            return
        except FileNotFoundError:  # or it was removed just now, with the last of its files
            if not attempts_left:
                _remove_if_empty(root / project_folder(project))
                raise
            _make(root, project)
        except OSError:
            _remove_if_empty(root / project_folder(project))
            raise


def remove_folder_of(root: Path, relfn: str) -> None:
    """Remove the folder of a project with the last of its files, which lay at this path."""
    folder = relfn.rpartition("/")[0]
    if project_of_folder(folder) is not None:
        _remove_if_empty(root / folder)


def _refuse_links(root: Path, project: str) -> None:
    for path in (root / BY_PROJECT, root / project_folder(project)):
        if path.is_symlink():
            raise NotADirectoryError(errno.ENOTDIR, "a symbolic link, which no listing follows", str(path))


def _make(root: Path, project: str) -> None:
    for path in (BY_PROJECT, project_folder(project)):
        with suppress(FileExistsError):
            (root / path).mkdir()
            sync_directory((root / path).parent)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
