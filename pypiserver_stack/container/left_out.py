"""Which folders hold no packages, whatever lies in them."""

from __future__ import annotations

# AWS Backup restores into such a folder and nowhere else: copies of packages, which are packages once moved into place.
_RESTORED = "aws-backup-restore_"
# Made by the file system for itself, and closed to all others.
_NOT_OURS = "lost+found"


def is_left_out(folder: str) -> bool:
    """Whether a folder, or one that it lies in, holds no packages.

    Args:
        folder: its path from the root; the root is "".
    """
    names = folder.split("/")
    return names[0] == _NOT_OURS or any(name.startswith(_RESTORED) for name in names)
