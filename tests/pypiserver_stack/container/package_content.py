"""Content of a package that may be uploaded under some file name. Needs pypiserver, which `small_packages` does not."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pypiserver_stack.container.base.releases import release_of
from tests.pypiserver_stack.container.small_packages import core_metadata


def package_content(filename: str, padding: bytes = b"") -> bytes:
    """A package as its file name says: an archive of that kind, with the metadata of that release.

    Args:
        padding: data within, stored as it is where the kind of archive allows.
    """
    release = release_of(filename)
    if release is None or filename.endswith(".asc"):
        return b"-----BEGIN PGP SIGNATURE-----" + padding
    project, version = release
    metadata = core_metadata(project, version, (), ">=3.8")
    written = io.BytesIO()
    lower = filename.lower()
    if lower.endswith((".whl", ".zip", ".egg")):
        described = f"{project}-{version}.dist-info/METADATA" if lower.endswith(".whl") else f"{project}/PKG-INFO"
        with zipfile.ZipFile(written, "w") as archive:
            archive.writestr(zipfile.ZipInfo("padding"), padding)
            archive.writestr(zipfile.ZipInfo(described), metadata)
    else:
        with tarfile.open(fileobj=written, mode="w") as tar:
            for path, content in (("padding", padding), ("PKG-INFO", metadata)):
                member = tarfile.TarInfo(f"{project}-{version}/{path}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        compressions: dict[str, Callable[[bytes], bytes]] = {".bz2": bz2.compress, ".xz": lzma.compress}
        return compressions.get(Path(lower).suffix, partial(gzip.compress, mtime=0))(written.getvalue())
    return written.getvalue()
