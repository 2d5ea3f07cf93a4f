"""The METADATA file of a wheel, which PEP 658 serves beside it. The file may be anything: it was just uploaded."""

from __future__ import annotations

import io
import zipfile

from pypiserver.pkg_helpers import normalize_pkgname

MAX_METADATA_BYTES = 1024 * 1024
MAX_DIRECTORY_BYTES = 4 * 1024 * 1024  # of the zip file: some 30,000 files


def wheel_metadata(path: str, filename: str) -> bytes | None:
    """What `*.dist-info/METADATA` holds, byte for byte, in the wheel at `path` that is to be called `filename`.

    None for everything that is not a wheel with exactly one such file, for the project and the version of its file
    name, of at most 1 MiB. Never raises.
    """
    try:
        return _read(path, filename)
    except Exception:  # what zipfile raises for a hostile file is not a list that anyone keeps
        return None


def _read(path: str, filename: str) -> bytes | None:
    if not filename.endswith(".whl"):
        return None
    project, version = filename.split("-")[:2]
    wanted = (normalize_pkgname(project), normalize_pkgname(version))
    with _Bounded(path) as file, zipfile.ZipFile(file) as archive:
        found = [entry for entry in archive.infolist() if _of(entry.filename) == wanted]
        # Other methods of compression unpack without a bound.
        if len(found) != 1 or found[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return None
        with archive.open(found[0]) as member:
            metadata = member.read(MAX_METADATA_BYTES + 1)
    return metadata if len(metadata) <= MAX_METADATA_BYTES else None


class _Bounded(io.FileIO):
    """A file that refuses to give more at once than the largest directory of a zip file that is read here."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return super().read(MAX_DIRECTORY_BYTES)  # its end, where the directory is looked up
        if size > MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile
        return super().read(size)


def _of(name: str) -> tuple[str, str] | None:
    folder, _, rest = name.partition(".dist-info/")
    project, _, version = folder.partition("-")
    if rest != "METADATA" or "/" in folder:
        return None
    return normalize_pkgname(project), normalize_pkgname(version)
