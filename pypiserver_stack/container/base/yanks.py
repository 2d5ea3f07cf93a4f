"""Yanked packages (PEP 592): each has a file beside it, which holds the reason and goes where the package goes."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from pypiserver_stack.container.base.system_calls import GONE

YANKED = ".yanked"
"""What the name of a yanked package is followed by, in that of the file beside it."""
MAX_REASON_BYTES = 1024


def yank(root: Path, relfn: str, reason: str) -> None:
    """Yank a package, or give another reason. The file is put into place whole: nothing else shows in a listing.

    Raises:
        OSError: it cannot be written.
    """
    path = root / f"{relfn}{YANKED}"
    temporary = path.with_name(f".{secrets.token_hex(16)}{YANKED}")  # no listing shows a leading dot
    try:
        temporary.write_text(reason, encoding="utf-8")
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unyank(root: Path, relfn: str) -> None:
    """Take a yank back; nothing happens where there is none.

    Raises:
        OSError: it cannot be removed.
    """
    (root / f"{relfn}{YANKED}").unlink(missing_ok=True)


def yank_reason(root: Path, relfn: str) -> str | None:
    """Why a package was yanked, in one line, perhaps an empty one; None where it is not yanked.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        with (root / f"{relfn}{YANKED}").open("rb") as file:
            reason = file.read(MAX_REASON_BYTES)
    except OSError as error:
        if error.errno in GONE:
            return None
        raise
    return " ".join(reason.decode("utf-8", "replace").split())
