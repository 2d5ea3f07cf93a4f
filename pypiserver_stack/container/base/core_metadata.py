"""Core metadata of packages: METADATA of a wheel, PKG-INFO of a source distribution, and the fields of either.

The file may be anything: somebody uploaded it, or copied it in.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from email.parser import BytesHeaderParser
from typing import BinaryIO

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pypiserver.pkg_helpers import normalize_pkgname

MAX_METADATA_BYTES = 1024 * 1024
MAX_DIRECTORY_BYTES = 4 * 1024 * 1024
"""The largest directory of a zip file that is read: some 30,000 files."""
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
"""How much of a source distribution is unpacked in search of its PKG-INFO."""

_PIECE_BYTES = 64 * 1024
_BLOCK_BYTES = 512  # of a tar archive
_REGULAR_FILE = (b"0", b"\0")


def core_metadata(file: BinaryIO, filename: str) -> bytes | None:
    """The core metadata in `file`, a package that is called `filename`, byte for byte.

    None where there is not exactly one such file of at most 1 MiB: in a wheel for the project and the version of its
    file name, in a source distribution (.tar.gz, .tgz or .zip) at its top. Never raises.
    """
    try:
        if filename.endswith(".whl"):
            return _from_zip(file, _is_metadata_of(filename))
        if filename.endswith(".zip"):
            return _from_zip(file, _is_pkg_info)
        if filename.endswith((".tar.gz", ".tgz")):
            return _from_tar(_unpacked(file))
    except Exception:  # what zipfile raises for a hostile file is not a list that anyone keeps
        pass
    return None


def requires_python(metadata: bytes) -> str | None:
    """The Python versions that core metadata asks for; None where it names none, or none that PEP 440 can read."""
    header = metadata.partition(b"\n\n")[0].partition(b"\r\n\r\n")[0]
    specifier = BytesHeaderParser().parsebytes(header).get("Requires-Python")
    return valid_specifier(specifier) if isinstance(specifier, str) else None  # of another type where it is not ASCII


def valid_specifier(specifier: str) -> str | None:
    """The specifier in one line; None for an empty one, and for one that installers could not read."""
    if len(specifier) > 1000:
        return None
    try:
        SpecifierSet(specifier)
    except InvalidSpecifier:
        return None
    return " ".join(specifier.split()) or None


def _from_zip(file: BinaryIO, is_wanted: Callable[[str], bool]) -> bytes | None:
    with zipfile.ZipFile(_Bounded(file)) as archive:
        found = [entry for entry in archive.infolist() if is_wanted(entry.filename)]
        # Other methods of compression unpack without a bound.
        if len(found) != 1 or found[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return None
        with archive.open(found[0]) as member:
            metadata = member.read(MAX_METADATA_BYTES + 1)
    return metadata if len(metadata) <= MAX_METADATA_BYTES else None


def _is_metadata_of(filename: str) -> Callable[[str], bool]:
    project, version = filename.split("-")[:2]
    wanted = (normalize_pkgname(project), normalize_pkgname(version))

    def is_wanted(name: str) -> bool:
        folder, _, rest = name.partition(".dist-info/")
        project, _, version = folder.partition("-")
        if rest != "METADATA" or "/" in folder:
            return False
        return (normalize_pkgname(project), normalize_pkgname(version)) == wanted

    return is_wanted


def _is_pkg_info(name: str) -> bool:
    folder, _, rest = name.removeprefix("./").partition("/")
    return rest == "PKG-INFO" and folder != ""


class _Bounded(io.RawIOBase):
    """A file that refuses to give more at once than the largest directory of a zip file that is read here."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return self._file.read(MAX_DIRECTORY_BYTES)  # its end, where the directory is looked up
        if size > MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def _from_tar(pieces: Iterator[bytes]) -> bytes | None:
    """The first PKG-INFO at the top. The standard library's reader holds headers of any length, and parses them slowly.

    Long names (pax and GNU headers) are passed over: the folder of a package has none.
    """
    archive = _Unpacked(pieces)
    while (header := archive.read(_BLOCK_BYTES)).strip(b"\0"):
        size = _tar_number(header[124:136])
        if header[156:157] in _REGULAR_FILE and _is_pkg_info(_tar_name(header)):
            return archive.read(size) if size <= MAX_METADATA_BYTES else None
        archive.skip(size + -size % _BLOCK_BYTES)
    return None


def _tar_name(header: bytes) -> str:
    name, prefix = (field.partition(b"\0")[0] for field in (header[:100], header[345:500]))
    return (prefix + b"/" + name if prefix and header[257:263] == b"ustar\0" else name).decode("utf-8", "replace")


def _tar_number(field: bytes) -> int:
    if field[0] & 0x80:  # GNU's form for what octal digits cannot hold
        return int.from_bytes(field, "big") & (2 ** (8 * len(field) - 1) - 1)
    return int(field.strip(b" \0") or b"0", 8)


class _Unpacked:
    """A stream of bytes that is read in lengths of the reader's choice, as far as `MAX_UNPACKED_BYTES`."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._position = 0
        self._left = MAX_UNPACKED_BYTES

    def read(self, size: int) -> bytes:
        """That many bytes; fewer at the end."""
        taken = self._piece[self._position : self._position + size]
        self._position += len(taken)
        while len(taken) < size and self._next():
            more = self._piece[: size - len(taken)]
            self._position = len(more)
            taken += more
        return taken

    def skip(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise EOFError
        self._position += size
        while (beyond := self._position - len(self._piece)) > 0 and self._next():
            self._position = beyond

    def _next(self) -> bool:
        self._piece, self._position = next(self._pieces, b""), 0
        return bool(self._piece)


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    """What a gzip file unpacks to, in pieces of 64 KiB at most.

    Raises:
        zlib.error: it is no gzip file, or is damaged.
        EOFError: it ends early.
    """
    waiting = file.read(_PIECE_BYTES)
    while waiting:
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
