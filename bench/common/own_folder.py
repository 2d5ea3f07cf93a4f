"""Folders at names that other users can guess: whether one is this user's alone, before anything in it is trusted."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bench.common.failures import UsageError


def refuse_if_not_own(folder: Path, variable: str) -> None:
    """Refuse a folder that another user may have made or may write to; one that does not exist will do.

    Args:
        variable: the environment variable that says where the folder is.

    Raises:
        UsageError: it is no folder, belongs to somebody else, or may be written by others.
    """
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISDIR(found.st_mode):
        what = "is a symbolic link" if stat.S_ISLNK(found.st_mode) else "is no folder"
        way_out = "remove it"
    elif found.st_uid != os.getuid():
        what, way_out = f"belongs to the user with id {found.st_uid}", "have it removed"
    elif mode & 0o022:
        what, way_out = f"may be written by other users (mode {mode:04o})", "remove it"
    else:
        return
    raise UsageError(
        f"{folder} {what}, and what the benchmark finds there could be somebody else's: {way_out}, or set {variable} "
        "to a folder of your own"
    )
