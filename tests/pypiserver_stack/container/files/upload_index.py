"""An index that takes uploads, as the task has them or as pypiserver alone has them, and the forms that it gets."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pypiserver

from pypiserver_stack.container.base.records import RecordStore
from pypiserver_stack.container.files.existing_files import ExistingFiles
from pypiserver_stack.container.files.package_store import PackageStore
from pypiserver_stack.container.files.uploads import Uploads
from tests.pypiserver_stack.container.package_content import package_content

BOUNDARY = b"0a1b"
NAME = "project-1.0-py3-none-any.whl"
LIMIT_BYTES = 4 * 1024 * 1024
Field = tuple[str, str | None, bytes]
ACTION: Field = (":action", None, b"file_upload")
PACKAGE: Field = ("content", NAME, package_content(NAME))
SIGNATURE: Field = ("gpg_signature", f"{NAME}.asc", b"-----BEGIN")


def package(filename: str, padding: bytes = b"") -> Field:
    return ("content", filename, package_content(filename, padding))


def form(*fields: Field) -> bytes:
    written = b""
    for name, filename, value in fields:
        named = "" if filename is None else f'; filename="{filename}"'
        written += b"--" + BOUNDARY + f'\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode()
        written += value + b"\r\n"
    return written + b"--" + BOUNDARY + b"--\r\n"


def request(body: bytes, **more: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "SERVER_NAME": "index",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "CONTENT_TYPE": f"multipart/form-data; boundary={BOUNDARY.decode()}",
        "CONTENT_LENGTH": str(len(body)),
        **more,
    }


class UploadIndex:
    """pypiserver over a directory, and with `ours`, uploads in front of it as the task has them."""

    def __init__(self, root: Path, *, ours: bool, builds_allowed: bool = False, **options: Any) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self._app = pypiserver.app(
            roots=[root], backend_arg="simple-dir", authenticate=[], password_file=".", **options
        )
        self.config = self._app._pypiserver_config
        self._uploads = Uploads(
            PackageStore(root, RecordStore(root), by_project=False),
            ExistingFiles(self.config, builds_allowed=builds_allowed),
            overwrite=self.config.overwrite,
            limit_bytes=LIMIT_BYTES,
        )
        self._ours = ours

    def post(self, environ: dict[str, Any]) -> tuple[int, str]:
        """Status and body."""
        answer = self._uploads(environ) if self._ours else None
        if answer is not None:
            assert int(dict(answer.headers)["Content-Length"]) == sum(map(len, answer.body))
            return int(answer.status.split()[0]), b"".join(answer.body).decode()
        statuses: list[str] = []
        body: Iterable[bytes] = self._app(environ, lambda status, headers, error=None: statuses.append(status))
        text = b"".join(body).decode()
        # bottle leaves its temporary files to the garbage collector, which complains.
        for item in getattr(environ.get("_cgi.FieldStorage"), "list", None) or []:
            item.file.close()
        environ["wsgi.input"].close()
        return int(statuses[0].split()[0]), text

    def upload(self, *fields: Field, **more: str) -> tuple[int, str]:
        return self.post(request(form(*fields), **more))

    def files(self) -> dict[str, bytes]:
        """What listings can show, and what they cannot but should not be there."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and path.relative_to(self.root).parts[0] != ".digests"
        }


def both(folder: Path, **options: Any) -> tuple[UploadIndex, UploadIndex]:
    return UploadIndex(folder / "ours", ours=True, **options), UploadIndex(folder / "theirs", ours=False, **options)
