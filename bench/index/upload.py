"""The form that publishes one wheel, with the fields that twine sends."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import parse_wheel_filename

# Any string that no wheel contains: RFC 2046 allows 70 characters.
_BOUNDARY = "----pypiserver-stack-2f6d0c1f9a7e4b53a8d1c4e0b7f39526"
_CHUNK_BYTES = 1 << 16

CONTENT_TYPE = f"multipart/form-data; boundary={_BOUNDARY}"


@dataclass(frozen=True)
class UploadForm:
    """The body of an upload request. The wheel stays on disk and is read while it is sent."""

    wheel: Path
    before: bytes
    after: bytes
    length_bytes: int
    """Of the whole body."""

    @classmethod
    def of(cls, wheel: Path) -> UploadForm:
        """The form for `wheel`, whose name and version are taken from its file name."""
        name, version, _, tags = parse_wheel_filename(wheel.name)
        content = wheel.read_bytes()
        fields = {
            ":action": "file_upload",
            "protocol_version": "1",
            "metadata_version": "2.1",
            "name": name,
            "version": str(version),
            "filetype": "bdist_wheel",
            "pyversion": ".".join(sorted({tag.interpreter for tag in tags})),
            "sha256_digest": hashlib.sha256(content).hexdigest(),
        }
        before = "".join(
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
            for field, value in fields.items()
        )
        before += (
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="content"; filename="{wheel.name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        after = f"\r\n--{_BOUNDARY}--\r\n"
        length_bytes = len(before) + len(content) + len(after)
        return cls(wheel, before.encode("ascii"), after.encode("ascii"), length_bytes)

    def chunks(self) -> Iterator[bytes]:
        """The body, in pieces small enough to hold for many uploads at once."""
        yield self.before
        with self.wheel.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
        yield self.after
