"""Files that somebody reads while they are replaced."""

from __future__ import annotations

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write a file so that whoever reads it sees the old text or the new one, and never a part."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, "utf-8")
    unfinished.replace(path)
