"""Files and folders that are never listed, whatever their names and whatever lies in them."""

from __future__ import annotations

import logging
from functools import lru_cache

# AWS Backup restores into such a folder and nowhere else: copies of packages, which are packages once moved into place.
_RESTORED = "aws-backup-restore_"
# Made by the file system for itself, and closed to all others.
_NOT_OURS = "lost+found"
_log = logging.getLogger("gunicorn.error")


def is_excluded(folder: str) -> bool:
    """Whether a folder, by its path from the root, or one that it lies in, holds no packages."""
    names = folder.split("/")
    return names[0] == _NOT_OURS or any(name.startswith(_RESTORED) for name in names) or is_unprintable(folder)


def is_unprintable(path: str) -> bool:
    """Whether a path holds bytes that are not UTF-8, or control characters: no package has such a name.

    One such name in a listing makes uv refuse the whole project. The log has each once.
    """
    if path.isprintable():
        return False
    _log_once(path)
    return True


@lru_cache(maxsize=1024)
def _log_once(path: str) -> None:
    _log.warning("%a is not listed: its name holds control characters, or bytes that are not UTF-8", path)
