"""Packages of a few hundred bytes, written as the formats have them: no build tool takes its seconds."""

from __future__ import annotations

import base64
import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from pypiserver_stack.container.base.releases import release_of

BACKEND = "small-backend"
"""The project that builds what `make_sdist` makes; `make_backend` makes its wheel."""

_BACKEND_MODULE = """
import pathlib, shutil

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    wheel = next(pathlib.Path("built").glob("*.whl"))
    shutil.copy(wheel, wheel_directory)
    return wheel.name
"""


def make_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    requires_python: str = ">=3.8",
    module: str = "",
    padding: bytes = b"",
) -> Path:
    """A pure wheel with one module of the project's name.

    Args:
        requires: requirements, as Requires-Dist has them.
        module: its source; without one it sets `version`.
        padding: data beside it, stored as it is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = name.replace("-", "_")
    dist_info = f"{stem}-{version}.dist-info"
    files = {
        f"{stem}.py": (module or f"version = {version!r}\n").encode(),
        f"{stem}.bin": padding,
        f"{dist_info}/METADATA": _metadata(name, version, requires, requires_python),
        f"{dist_info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in files.items())
    wheel = folder / f"{stem}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in {**files, f"{dist_info}/RECORD": f"{record}{dist_info}/RECORD,,\n".encode()}.items():
            archive.writestr(path, content)
    return wheel


def make_sdist(folder: Path, name: str, version: str, *, requires_python: str = ">=3.8") -> Path:
    """A source distribution that only `BACKEND` can build."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = name.replace("-", "_")
    wheel = make_wheel(folder / "inside", name, version)
    pyproject = f'[build-system]\nrequires = ["{BACKEND}"]\nbuild-backend = "{BACKEND.replace("-", "_")}"\n'
    files = {
        "PKG-INFO": _metadata(name, version, (), requires_python),
        "pyproject.toml": pyproject.encode(),
        f"built/{wheel.name}": wheel.read_bytes(),
    }
    sdist = folder / f"{stem}-{version}.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(f"{stem}-{version}/{path}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return sdist


def package_content(filename: str, padding: bytes = b"") -> bytes:
    """A package as its file name says: an archive of that kind, with the metadata of that release.

    Args:
        padding: data within, stored as it is where the kind of archive allows.
    """
    release = release_of(filename)
    if release is None or filename.endswith(".asc"):
        return b"-----BEGIN PGP SIGNATURE-----" + padding
    project, version = release
    metadata = _metadata(project, version, (), ">=3.8")
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


def make_backend(folder: Path) -> Path:
    """The wheel of `BACKEND`."""
    return make_wheel(folder, BACKEND, "1.0", module=_BACKEND_MODULE)


def _metadata(name: str, version: str, requires: Sequence[str], requires_python: str) -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Requires-Python: {requires_python}"]
    return "\n".join([*lines, *(f"Requires-Dist: {requirement}" for requirement in requires), ""]).encode()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
