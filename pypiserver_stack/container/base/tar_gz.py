"""One file out of a .tar.gz that somebody uploaded: a stream, with bounds on what is unpacked and looked at.

The standard library's reader holds headers of any length, and parses them in quadratic time.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

MAX_UNPACKED_BYTES = 512 * 1024 * 1024
MAX_HEADERS = 100_000
MAX_GZIP_MEMBERS = 1_000

_PIECE_BYTES = 64 * 1024
_BLOCK_BYTES = 512
_REGULAR_FILE = (b"0", b"\0")
_OCTAL = re.compile(rb" *([0-7]*)[ \0]*(?:\0.*)?", re.S)


class Readable(Protocol):
    """An open file."""

    def read(self, size: int, /) -> bytes: ...


class TooLargeError(Exception):
    """More than is read of a file that somebody uploaded."""


def find_in_tar_gz(
    file: Readable, is_wanted: Callable[[str], bool], *, max_bytes: int, whole: bool
) -> tuple[bytes | None, int]:
    """The first file whose name is wanted, and the number of files up to there.

    None where there is none, or where it is larger than `max_bytes`. Long names (pax and GNU headers) are passed over.

    Args:
        whole: read the archive to its end.

    Raises:
        EOFError, ValueError, zlib.error: it is no .tar.gz, is damaged, or ends early.
        TooLargeError: it goes on behind what is looked at.
    """
    archive = _Stream(_unpacked(file))
    found: bytes | None = None
    headers = files = 0
    while (header := archive.read(_BLOCK_BYTES)).strip(b"\0"):
        headers += 1
        if headers > MAX_HEADERS:
            raise TooLargeError
        size = _number(header[124:136])
        if _number(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * ord(" "):
            raise ValueError("no header of a tar archive")
        files += header[156:157] in _REGULAR_FILE
        padding = -size % _BLOCK_BYTES
        if found is None and header[156:157] in _REGULAR_FILE and size <= max_bytes and is_wanted(_name(header)):
            found = archive.read(size)
            if not whole:
                return found, files
            archive.skip(padding)
        else:
            archive.skip(size + padding)
    if whole:
        archive.skip_all()
    return found, files


def _name(header: bytes) -> str:
    name, prefix = (field.partition(b"\0")[0] for field in (header[:100], header[345:500]))
    return (prefix + b"/" + name if prefix and header[257:263] == b"ustar\0" else name).decode("utf-8", "replace")


def _number(field: bytes) -> int:
    if field[:1] == b"\x80":  # GNU's form for what octal digits cannot hold
        return int.from_bytes(field[1:], "big")
    octal = _OCTAL.fullmatch(field)
    if octal is None:
        raise ValueError("no number of a tar archive")
    return int(octal[1] or b"0", 8)


class _Stream:
    """Bytes that are read in lengths of the reader's choice, as far as `MAX_UNPACKED_BYTES`."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._position = 0
        self._left = MAX_UNPACKED_BYTES

    def read(self, size: int) -> bytes:
        """That many bytes; none at the end.

        Raises:
            EOFError: it ends within them.
        """
        taken = self._piece[self._position : self._position + size]
        self._position += len(taken)
        while len(taken) < size and self._next():
            more = self._piece[: size - len(taken)]
            self._position = len(more)
            taken += more
        if taken and len(taken) < size:
            raise EOFError
        return taken

    def skip(self, size: int) -> None:
        self._position += size
        while (beyond := self._position - len(self._piece)) > 0:
            if not self._next():
                raise EOFError
            self._position = beyond

    def skip_all(self) -> None:
        while self._next():
            pass

    def _next(self) -> bool:
        self._piece, self._position = next(self._pieces, b""), 0
        self._left -= len(self._piece)
        if self._left < 0:
            raise TooLargeError
        return bool(self._piece)


def _unpacked(file: Readable) -> Iterator[bytes]:
    """What a gzip file unpacks to, in pieces of 64 KiB at most."""
    waiting = file.read(_PIECE_BYTES)
    members = 0
    while waiting:
        members += 1
        if members > MAX_GZIP_MEMBERS:
            raise TooLargeError
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            piece = member.decompress(waiting, _PIECE_BYTES)
            if piece:
                yield piece
            waiting = member.unconsumed_tail
            # A piece of full length may leave more in the decompressor, although all was fed to it.
            if (
                not waiting
                and len(piece) < _PIECE_BYTES
                and not member.eof
                and not (waiting := file.read(_PIECE_BYTES))
            ):
                raise EOFError
        waiting = member.unused_data
        while not (waiting := waiting.lstrip(b"\0")):  # what pads the end of some files
            if not (waiting := file.read(_PIECE_BYTES)):
                return
