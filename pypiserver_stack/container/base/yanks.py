"""Yanked packages (PEP 592): each has a file beside it, which holds the reason and goes where the package goes."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path

from pypiserver_stack.container.base.system_calls import GONE, sync_directory

YANKED = ".yanked"
"""What the name of a yanked package is followed by, in that of the file beside it."""
MAX_REASON_BYTES = 1024
INCOMING = ".incoming"
"""Folder for files on their way into place. No listing shows it."""


def yank(root: Path, relfn: str, reason: str) -> None:
    """Yank a package, or give another reason. The file is put into place whole and durable.

    Raises:
        OSError: it cannot be written.
    """
    path = root / f"{relfn}{YANKED}"
    temporary = root / INCOMING / f"{secrets.token_hex(16)}{YANKED}"
    temporary.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(reason)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def unyank(root: Path, relfn: str) -> None:
    """Take a yank back; nothing happens where there is none.

    Raises:
        OSError: it cannot be removed.
    """
    try:
        (root / f"{relfn}{YANKED}").unlink()
    except OSError as error:
        if error.errno not in (*GONE, errno.ENAMETOOLONG):
            raise


def yank_reason(root: Path, relfn: str) -> str | None:
    """Why a package was yanked, in one line, perhaps an empty one; None where it is not yanked.

    Whoever may not read the reason still knows of the yank. A link is none: its target may change unseen.

    Raises:
        OSError: the file is there and cannot be read at the moment.
    """
    try:
        descriptor = os.open(root / f"{relfn}{YANKED}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            reason = os.read(descriptor, MAX_REASON_BYTES)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno == errno.EACCES:
            return ""
        if error.errno in GONE:
            return None
        raise
    text = reason.decode("utf-8", "replace")
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
