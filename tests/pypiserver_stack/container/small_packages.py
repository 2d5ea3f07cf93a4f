"""Packages of a few hundred bytes, written as the formats have them: no build tool takes its seconds."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

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
        f"{dist_info}/METADATA": core_metadata(name, version, requires, requires_python),
        f"{dist_info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in files.items())
    wheel = folder / f"{stem}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in {**files, f"{dist_info}/RECORD": f"{record}{dist_info}/RECORD,,\n".encode()}.items():
            archive.writestr(path, content)
    return wheel


def make_sdist(folder: Path, name: str, version: str, *, requires_python: str = ">=3.8", padding: bytes = b"") -> Path:
    """A source distribution that only `BACKEND` can build."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = name.replace("-", "_")
    wheel = make_wheel(folder / "inside", name, version)
    pyproject = f'[build-system]\nrequires = ["{BACKEND}"]\nbuild-backend = "{BACKEND.replace("-", "_")}"\n'
    files = {
        "PKG-INFO": core_metadata(name, version, (), requires_python),
        "pyproject.toml": pyproject.encode(),
        "padding": padding,
        f"built/{wheel.name}": wheel.read_bytes(),
    }
    sdist = folder / f"{stem}-{version}.tar.gz"
    with tarfile.open(sdist, "w:gz") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(f"{stem}-{version}/{path}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return sdist


def make_backend(folder: Path) -> Path:
    """The wheel of `BACKEND`."""
    return make_wheel(folder, BACKEND, "1.0", module=_BACKEND_MODULE)


def core_metadata(name: str, version: str, requires: Sequence[str], requires_python: str) -> bytes:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Requires-Python: {requires_python}"]
    return "\n".join([*lines, *(f"Requires-Dist: {requirement}" for requirement in requires), ""]).encode()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
