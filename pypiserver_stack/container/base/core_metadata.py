"""Core metadata of packages: METADATA of a wheel, PKG-INFO of a source distribution, and the fields of either.

The file may be anything: somebody uploaded it, or copied it in.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from email.parser import BytesHeaderParser
from typing import Any, BinaryIO

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pypiserver.pkg_helpers import normalize_pkgname

from pypiserver_stack.container.base.versions import version_key

MAX_METADATA_BYTES = 1024 * 1024
MAX_DIRECTORY_BYTES = 4 * 1024 * 1024
"""The largest directory of a zip file that is read: some 30,000 files."""
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
"""How much of a source distribution is unpacked in search of its PKG-INFO."""

_ZIP = (".whl", ".zip", ".egg")
_MAGIC = {".tar.bz2": b"BZh", ".tar.xz": b"\xfd7zXZ\0"}
"""Archives of kinds that are not unpacked here, and what they begin with."""
_PIECE_BYTES = 64 * 1024
_BLOCK_BYTES = 512  # of a tar archive
_REGULAR_FILE = (b"0", b"\0")


class NotAPackageError(Exception):
    """What is wrong with a file that is to be a package, as the rest of a sentence about it."""


class _TooLargeError(Exception):
    """More than is read of a file that somebody uploaded."""


def core_metadata(file: BinaryIO, filename: str) -> bytes | None:
    """The core metadata in `file`, a package that is called `filename`, byte for byte.

    None where there is not exactly one such file of at most 1 MiB: in a wheel for the project and the version of its
    file name, in a source distribution (.tar.gz, .tgz or .zip) at its top. Never raises.
    """
    try:
        return _metadata(file, filename, whole=False)
    except Exception:  # what zipfile raises for a hostile file is not a list that anyone keeps
        return None


def checked_metadata(file: BinaryIO, filename: str) -> bytes | None:
    """As `core_metadata`, for a file that is read to its end, as far as `MAX_UNPACKED_BYTES` when it is unpacked.

    Raises:
        NotAPackageError: it is empty, no whole archive of the kind that `filename` says, or a wheel without metadata.
    """
    if file.seek(0, io.SEEK_END) == 0:
        raise NotAPackageError("is empty")
    file.seek(0)
    try:
        return _metadata(file, filename, whole=True)
    except _TooLargeError:
        return None
    except NotAPackageError:
        raise
    except Exception as error:
        kind = "zip" if filename.lower().endswith(_ZIP) else "tar"
        sentence = f"is no whole {kind} archive: it is damaged, ends early or is of another kind"
        raise NotAPackageError(sentence) from error


def _metadata(file: BinaryIO, filename: str, *, whole: bool) -> bytes | None:
    lower = filename.lower()
    if lower.endswith(_ZIP):
        return _from_zip(file, filename)
    if lower.endswith((".tar.gz", ".tgz")):
        archive = _Unpacked(_unpacked(file))
        metadata = _from_tar(archive)
        if whole:
            archive.skip_all()
        return metadata
    beginning = file.read(8)
    for suffix, magic in _MAGIC.items():
        if lower.endswith(suffix) and not beginning.startswith(magic):
            raise NotAPackageError(f"is no {suffix} archive")
    return None


def requires_python(metadata: bytes) -> str | None:
    """The Python versions that core metadata asks for; None where it names none, or none that PEP 440 can read."""
    return valid_specifier(_field(metadata, "Requires-Python") or "")


def named_release(metadata: bytes) -> tuple[str | None, str | None]:
    """Name and version that core metadata has; None for a field that is missing, or is not ASCII."""
    return _field(metadata, "Name"), _field(metadata, "Version")


def _field(metadata: bytes, name: str) -> str | None:
    header = metadata.partition(b"\n\n")[0].partition(b"\r\n\r\n")[0]
    value = BytesHeaderParser().parsebytes(header).get(name)
    return value.strip() if isinstance(value, str) else None  # of another type where it is not ASCII


def valid_specifier(specifier: str) -> str | None:
    """The specifier in one line; None for an empty one, and for one that installers could not read."""
    if len(specifier) > 1000:
        return None
    try:
        SpecifierSet(specifier)
    except InvalidSpecifier:
        return None
    return " ".join(specifier.split()) or None


def _from_zip(file: BinaryIO, filename: str) -> bytes | None:
    with zipfile.ZipFile(_Bounded(file)) as archive:
        entries = archive.infolist()
        if not entries:
            raise NotAPackageError("is an archive without a file in it")
        if filename.endswith(".whl"):
            found = [entry for entry in entries if _is_metadata_of(filename, entry.filename)]
            if not found:
                raise NotAPackageError("has no .dist-info folder with the METADATA of the release that its name says")
        else:
            found = [entry for entry in entries if _is_pkg_info(entry.filename)]
        # Other methods of compression unpack without a bound.
        if len(found) != 1 or found[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return None
        with archive.open(found[0]) as member:
            metadata = member.read(MAX_METADATA_BYTES + 1)
    return metadata if len(metadata) <= MAX_METADATA_BYTES else None


def _is_metadata_of(filename: str, name: str) -> bool:
    folder, _, rest = name.partition(".dist-info/")
    return rest == "METADATA" and "/" not in folder and _release(folder) == _release(filename)


def _release(name: str) -> tuple[str, tuple[Any, ...]]:
    project, _, rest = name.partition("-")
    return normalize_pkgname(project), version_key(rest.partition("-")[0])


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
            raise _TooLargeError
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def _from_tar(archive: _Unpacked) -> bytes | None:
    """The first PKG-INFO at the top. The standard library's reader holds headers of any length, and parses them slowly.

    Long names (pax and GNU headers) are passed over: the folder of a package has none.
    """
    first = True
    while (header := archive.read(_BLOCK_BYTES)).strip(b"\0"):
        first = False
        if _tar_number(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * ord(" "):
            raise ValueError("no header of a tar archive")
        size = _tar_number(header[124:136])
        if header[156:157] in _REGULAR_FILE and _is_pkg_info(_tar_name(header)):
            return archive.read(size) if size <= MAX_METADATA_BYTES else None
        archive.skip(size + -size % _BLOCK_BYTES)
    if first:
        raise NotAPackageError("is an archive without a file in it")
    return None


def _tar_name(header: bytes) -> str:
    name, prefix = (field.partition(b"\0")[0] for field in (header[:100], header[345:500]))
    return (prefix + b"/" + name if prefix and header[257:263] == b"ustar\0" else name).decode("utf-8", "replace")


def _tar_number(field: bytes) -> int:
    if field[0] & 0x80:  # GNU's form for what octal digits cannot hold
        return int.from_bytes(field[1:], "big")
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
            raise _TooLargeError
        self._position += size
        while (beyond := self._position - len(self._piece)) > 0 and self._next():
            self._position = beyond

    def skip_all(self) -> None:
        while self._next():
            self.skip(len(self._piece))

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
