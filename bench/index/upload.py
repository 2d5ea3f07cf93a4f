"""The forms that change an index: that of an upload, with the fields that twine sends, and that of a removal."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from packaging.metadata import parse_email

# Any string that no wheel contains: RFC 2046 allows 70 characters.
_BOUNDARY = "----pypiserver-stack-2f6d0c1f9a7e4b53a8d1c4e0b7f39526"
_CHUNK_BYTES = 1 << 16
# Fields of the form that are not called as in the metadata (PEP 566).
_FIELD_NAMES = {
    "platforms": "platform",
    "supported_platforms": "supported_platform",
    "license_files": "license_file",
}
# Of metadata 2.5: twine 6.2 leaves them out.
_NOT_SENT = ("import_names", "import_namespaces")


@dataclass(frozen=True)
class Form:
    """The body of a POST request, as multipart/form-data. A wheel stays on disk and is read while it is sent."""

    before: bytes
    wheel: Path | None
    after: bytes
    length_bytes: int
    """Of the whole body."""

    content_type = f"multipart/form-data; boundary={_BOUNDARY}"

    @classmethod
    def of_upload(cls, wheel: Path) -> Self:
        """The form that publishes a wheel."""
        with wheel.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            blake2 = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=32)).hexdigest()
        fields = [
            *_metadata(wheel),
            ("pyversion", wheel.name.split("-")[-3]),
            ("filetype", "bdist_wheel"),
            ("sha256_digest", sha256),
            ("blake2_256_digest", blake2),
            (":action", "file_upload"),
            ("protocol_version", "1"),
        ]
        before = (
            _fields(fields)
            + (
                f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="content"; filename="{wheel.name}"\r\n'
                "Content-Type: application/octet-stream\r\n\r\n"
            ).encode()
        )
        return cls._of(before, wheel, b"\r\n")

    @classmethod
    def of_removal(cls, name: str, version: str) -> Self:
        """The form by which pypiserver deletes the files of one version. `name` is spelled as in their names."""
        return cls._of(_fields([(":action", "remove_pkg"), ("name", name), ("version", version)]), None, b"")

    @classmethod
    def _of(cls, before: bytes, wheel: Path | None, end_of_wheel: bytes) -> Self:
        after = end_of_wheel + f"--{_BOUNDARY}--\r\n".encode()
        wheel_bytes = wheel.stat().st_size if wheel else 0
        return cls(before, wheel, after, len(before) + wheel_bytes + len(after))

    async def stream(self) -> AsyncIterator[bytes]:
        """The body, in pieces small enough to hold for many uploads at once."""
        yield self.before
        if self.wheel is not None:
            with self.wheel.open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    yield chunk
        yield self.after


def _fields(fields: Iterable[tuple[str, str]]) -> bytes:
    return "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields
    ).encode()


def _metadata(wheel: Path) -> list[tuple[str, str]]:
    """The headers of the wheel's METADATA, as fields."""
    with zipfile.ZipFile(wheel) as archive:
        (path,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata, _ = parse_email(archive.read(path))
    fields: list[tuple[str, str]] = []
    # It comes in another order in each process, and the bytes of a form are to be the same in all of them.
    for header, value in sorted(metadata.items()):
        if header in _NOT_SENT:
            continue
        name = _FIELD_NAMES.get(header, header)
        match value:
            case dict():  # of project URLs
                fields += [(name, f"{label}, {url}") for label, url in value.items()]
            case list() if name == "keywords":
                fields.append((name, ", ".join(value)))
            case list():
                fields += [(name, item) for item in value]
            case _:
                fields.append((name, str(value)))
    return fields
