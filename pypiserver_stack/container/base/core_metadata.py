"""Core metadata of packages: METADATA of a wheel, PKG-INFO of a source distribution, and the fields of either.

The file may be anything: somebody uploaded it, or copied it in.
"""

from __future__ import annotations

import io
import zipfile
from email.parser import BytesHeaderParser
from typing import Any, BinaryIO

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pypiserver.pkg_helpers import normalize_pkgname

from pypiserver_stack.container.base.tar_gz import TooLargeError, find_in_tar_gz
from pypiserver_stack.container.base.versions import version_key

MAX_METADATA_BYTES = 1024 * 1024
MAX_DIRECTORY_BYTES = 4 * 1024 * 1024
"""The largest directory of a zip file that is read: some 30,000 files."""

_ZIP = (".whl", ".zip", ".egg")
_MAGIC = {".tar.bz2": b"BZh", ".tar.xz": b"\xfd7zXZ\0"}
"""Archives of kinds that are not unpacked here, and what they begin with."""
_MAX_FIELD_CHARACTERS = 1000


class NotAPackageError(Exception):
    """What is wrong with a file that is to be a package, as the rest of a sentence about it."""


def core_metadata(file: BinaryIO, filename: str) -> bytes | None:
    """The core metadata in `file`, a package that is called `filename`, byte for byte.

    None where there is not exactly one such file of at most 1 MiB: in a wheel of the release that its file name says,
    in a source distribution (.tar.gz, .tgz or .zip) at its top.

    Raises:
        OSError: the file cannot be read.
    """
    source = _Source(file)
    try:
        return _metadata(source, filename, whole=False)
    except Exception:  # what zipfile raises for a hostile file is not a list that anyone keeps
        source.raise_error()
        return None


def checked_metadata(file: BinaryIO, filename: str) -> bytes | None:
    """As `core_metadata`, for a file that is read to its end, as far as the bounds of a .tar.gz allow.

    Raises:
        NotAPackageError: it is empty, no whole archive of the kind that `filename` says, or a wheel without metadata.
        OSError: the file cannot be read.
    """
    source = _Source(file)
    try:
        return _metadata(source, filename, whole=True)
    except (NotAPackageError, TooLargeError) as error:
        if isinstance(error, NotAPackageError):
            raise
        return None
    except Exception as error:
        source.raise_error()
        kind = "zip" if filename.lower().endswith(_ZIP) else "tar"
        sentence = f"is no whole {kind} archive: it is damaged, ends early or is of another kind"
        raise NotAPackageError(sentence) from error


def requires_python(metadata: bytes) -> str | None:
    """The Python versions that core metadata asks for; None where it names none, or none that PEP 440 can read."""
    return valid_specifier(_field(metadata, "Requires-Python") or "")


def named_release(metadata: bytes) -> tuple[str | None, str | None]:
    """Name and version that core metadata has; None for a field that is missing, or is not ASCII."""
    return _field(metadata, "Name"), _field(metadata, "Version")


def valid_specifier(specifier: str) -> str | None:
    """The specifier in one line; None for an empty one, and for one that installers could not read."""
    line = " ".join(specifier.split())
    if not line.isprintable() or len(line) > _MAX_FIELD_CHARACTERS:
        return None
    try:
        SpecifierSet(line)
    except InvalidSpecifier:
        return None
    return line or None


def _field(metadata: bytes, name: str) -> str | None:
    header = metadata.partition(b"\n\n")[0].partition(b"\r\n\r\n")[0]
    value = BytesHeaderParser().parsebytes(header).get(name)
    if not isinstance(value, str):  # of another type where it is not ASCII
        return None
    return value.strip()[: _MAX_FIELD_CHARACTERS + 1]


def _metadata(file: _Source, filename: str, *, whole: bool) -> bytes | None:
    if file.seek(0, io.SEEK_END) == 0:
        raise NotAPackageError("is empty")
    file.seek(0)
    lower = filename.lower()
    if lower.endswith(_ZIP):
        return _of_wheel(file, filename) if lower.endswith(".whl") else _of_zip(file)
    if lower.endswith((".tar.gz", ".tgz")):
        metadata, files = find_in_tar_gz(file, _is_pkg_info, max_bytes=MAX_METADATA_BYTES, whole=whole)
        if not files:
            raise NotAPackageError("is an archive without a file in it")
        return metadata
    beginning = file.read(8)
    for suffix, magic in _MAGIC.items():
        if lower.endswith(suffix) and not beginning.startswith(magic):
            raise NotAPackageError(f"is no {suffix} archive")
    return None


def _of_wheel(file: _Source, filename: str) -> bytes | None:
    with zipfile.ZipFile(file) as archive:
        project, version = filename.split("-")[:2]
        wanted = _release(project, version)
        found = [entry for entry in _entries(archive) if _is_metadata_of(wanted, entry.filename)]
        if not found:
            raise NotAPackageError("has no .dist-info folder with the METADATA of the release that its name says")
        metadata = _content(archive, found)
    if metadata is None:
        return None
    try:
        metadata.decode()
    except UnicodeDecodeError:
        raise NotAPackageError("has METADATA that is not UTF-8") from None
    name, version_within = named_release(metadata)
    if not name or not version_within:
        raise NotAPackageError("has METADATA without a Name or a Version")
    if _release(name, version_within) != wanted:
        raise NotAPackageError(f"has METADATA of another release, {f'{name} {version_within}'!a}")
    return metadata


def _of_zip(file: _Source) -> bytes | None:
    with zipfile.ZipFile(file) as archive:
        return _content(archive, [entry for entry in _entries(archive) if _is_pkg_info(entry.filename)])


def _entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    if not entries:
        raise NotAPackageError("is an archive without a file in it")
    return entries


def _content(archive: zipfile.ZipFile, found: list[zipfile.ZipInfo]) -> bytes | None:
    # Other methods of compression unpack without a bound.
    if len(found) != 1 or found[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return None
    with archive.open(found[0]) as member:
        content = member.read(MAX_METADATA_BYTES + 1)
    return content if len(content) <= MAX_METADATA_BYTES else None


def _is_metadata_of(release: tuple[str, tuple[Any, ...]], name: str) -> bool:
    folder, _, rest = name.partition(".dist-info/")
    if rest != "METADATA" or "/" in folder:
        return False
    project, _, version = folder.rpartition("-")  # some tools leave hyphens in the project
    return _release(project, version) == release


def _release(project: str, version: str) -> tuple[str, tuple[Any, ...]]:
    return normalize_pkgname(project), version_key(version)


def _is_pkg_info(name: str) -> bool:
    folder, _, rest = name.removeprefix("./").partition("/")
    return rest == "PKG-INFO" and folder != ""


class _Source(io.RawIOBase):
    """The file, which gives no more at once than the largest directory of a zip file that is read here."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._error: OSError | None = None

    def raise_error(self) -> None:
        """Raise what the file system said, if it said something: it is no fault of the package."""
        if self._error is not None:
            raise self._error

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            size = MAX_DIRECTORY_BYTES  # its end, where the directory is looked up
        if size > MAX_DIRECTORY_BYTES:
            raise TooLargeError
        try:
            return self._file.read(size)
        except OSError as error:
            self._error = error
            raise

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True
