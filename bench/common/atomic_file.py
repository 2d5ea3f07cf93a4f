"""Files that somebody reads while they are replaced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write a file to, which then takes the place of `path`, unless writing it fails."""
    # numpy appends .npz to a name that does not end with it, so the ending stays.
    unfinished = path.with_name(f".unfinished-{path.name}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that whoever reads it sees the old text or the new one, and never a part."""
    with replacing(path) as unfinished:
        unfinished.write_text(text, "utf-8")
