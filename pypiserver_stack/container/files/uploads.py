"""Uploads, answered as pypiserver does, but streamed: no client waits for the package of another."""

from __future__ import annotations

import errno
import io
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from time import monotonic
from typing import Any, NamedTuple
from urllib.parse import urlencode

from pypiserver.bottle_wrapper import HTTPError

from pypiserver_stack.container.base.core_metadata import valid_specifier
from pypiserver_stack.container.base.releases import release_of
from pypiserver_stack.container.files.claimed_release import contradiction
from pypiserver_stack.container.files.multipart import FormPart, MultipartError, boundary_of, read_form
from pypiserver_stack.container.files.package_store import Incoming, PackageStore, StoreError
from pypiserver_stack.container.http.response import Environ, HttpResponse, text

PYPISERVER_BODY_BYTES = 64 * 1024
"""The largest body that pypiserver gets."""
_READ_BYTES = 64 * 1024  # where gunicorn's reader is at its fastest
_FIELD_BYTES = 1024
_FIELDS = (":action", "name", "version", "sha256_digest", "requires_python", "reason")
_LOG_INTERVAL_S = 10

_FILENAME = re.compile(r"[a-z0-9_!+-][a-z0-9_.!+-]{0,254}", re.I | re.A)  # no leading dot: no listing would show it
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_log = logging.getLogger("gunicorn.error")


class _File(NamedTuple):
    filename: str
    refusal: HttpResponse | None
    incoming: Incoming | None  # None where refused: what nobody wants is not written


class _TooLargeError(Exception):
    pass


class Uploads:
    """Answers to `POST /` of a client that may upload."""

    def __init__(self, store: PackageStore, config: Any, *, limit_bytes: int) -> None:
        """
        Args:
            config: pypiserver's; `backend.exists` says which names are taken, `overwrite` whether that matters.
            limit_bytes: the largest body, with the form around the package.
        """
        self._store = store
        self._config = config
        self._limit_bytes = limit_bytes
        self._log_again_s: dict[int | None, float] = {}

    def __call__(self, environ: Environ) -> HttpResponse | None:
        """The answer; None leaves it to pypiserver, which gets a form of the fields that matter to it.

        Raises:
            OSError: the connection is lost.
        """
        if not environ.get("CONTENT_TYPE", "").lower().startswith("multipart/"):
            return None
        try:
            body = _Body(environ, self._limit_bytes)
            with ExitStack() as cleanup:
                fields, files = self._receive(body, environ, cleanup)
                if fields.get(":action") == b"file_upload" and "content" in files:
                    return self._publish(fields, files, environ)
            _leave_to_pypiserver(environ, fields)
            return None
        except MultipartError as error:
            return text("400 Bad Request", str(error))
        except _TooLargeError as error:
            return text("413 Request Entity Too Large", str(error))
        except StoreError as error:
            return self._unavailable(error)

    def _receive(self, body: _Body, environ: Environ, cleanup: ExitStack) -> tuple[dict[str, bytes], dict[str, _File]]:
        """The fields and files that matter; the others are dropped as they come."""
        fields: dict[str, bytes] = {}
        files: dict[str, _File] = {}

        def begin(part: FormPart) -> Callable[[bytes], object]:
            if part.filename is None and part.name in _FIELDS:
                fields[part.name] = b""
                return partial(_keep, fields, part.name)
            if part.filename is None or part.name not in ("content", "gpg_signature"):
                return _drop
            if part.name in files:
                raise MultipartError(f"The form has more than one {part.name!r}.")
            refusal = self._refusal(part.filename, environ)
            incoming = None if refusal else cleanup.enter_context(self._store.incoming())
            files[part.name] = _File(part.filename, refusal, incoming)
            return incoming.write if incoming else _drop

        take: Callable[[bytes], object] = _drop
        failure: StoreError | None = None
        for piece in read_form(body.chunks(), boundary_of(environ["CONTENT_TYPE"])):
            try:
                if isinstance(piece, FormPart):
                    take = begin(piece)
                else:
                    take(piece)
            except StoreError as error:
                failure, take = error, _drop  # a client that is cut off while it sends never reads the response
        if failure is not None:
            raise failure
        return fields, files

    def _publish(self, fields: dict[str, bytes], files: dict[str, _File], environ: Environ) -> HttpResponse:
        package, signature = files["content"], files.get("gpg_signature")
        if signature is not None and signature.filename != f"{package.filename}.asc":
            return text("400 Bad Request", f"The signature is not called {package.filename!a} and .asc.")
        wanted = [file for file in (package, signature) if file is not None]
        for file in wanted:
            if file.refusal is not None:
                return file.refusal
        name, version = (fields.get(field, b"").decode("utf-8", "replace").strip() for field in ("name", "version"))
        if wrong := contradiction(package.filename, name, version):
            return text("400 Bad Request", wrong)
        claimed_python = valid_specifier(fields.get("requires_python", b"").decode("utf-8", "replace"))
        claimed = fields.get("sha256_digest", b"").decode("ascii", "replace").strip().lower()
        for filename, _, incoming in wanted:
            assert incoming is not None
            if claimed and filename == package.filename and claimed != incoming.sha256:
                return text("400 Bad Request", f"The SHA-256 of what arrived is {incoming.sha256}, not {claimed!a}.")
            try:
                incoming.publish(filename, overwrite=self._config.overwrite, claimed_python=claimed_python)
            except FileExistsError:
                return _taken(filename, environ)
        return HttpResponse("200 OK", [("Content-Length", "0")], [])

    def _refusal(self, filename: str, environ: Environ) -> HttpResponse | None:
        if not _FILENAME.fullmatch(filename) or release_of(filename) is None:
            return text("400 Bad Request", f"Bad filename: {filename!a}")
        try:
            taken = not self._config.overwrite and self._config.backend.exists(filename)
        except OSError as error:
            raise StoreError(str(error), error.errno) from error
        except HTTPError as error:  # the backend cannot know at the moment
            raise StoreError(str(error.body), None) from error
        return _taken(filename, environ) if taken else None

    def _unavailable(self, error: StoreError) -> HttpResponse:
        if monotonic() >= self._log_again_s.get(error.errno, 0.0):
            self._log_again_s[error.errno] = monotonic() + _LOG_INTERVAL_S
            _log.error("upload failed: %s", error)
        if error.errno in _FULL:
            return text("507 Insufficient Storage", "There is no room for the package.")
        return text("503 Service Unavailable", "The package cannot be stored at the moment.", [("Retry-After", "10")])


class _Body:
    """The body of a request, up to a limit."""

    def __init__(self, environ: Environ, limit_bytes: int) -> None:
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        self._read = environ["wsgi.input"].read
        self._length = None if chunked else int(environ.get("CONTENT_LENGTH") or 0)
        self._limit_bytes = limit_bytes
        self._taken = 0
        self._bound(self._length or 0)

    def chunks(self) -> Iterator[bytes]:
        while self._length is None or self._taken < self._length:
            chunk = self._read(_READ_BYTES if self._length is None else min(_READ_BYTES, self._length - self._taken))
            if not chunk:
                break
            self._taken += len(chunk)
            self._bound(self._taken)
            yield chunk
        if self._length is not None and self._taken < self._length:
            raise MultipartError("The body is shorter than its Content-Length.")

    def _bound(self, length: int) -> None:
        if length > self._limit_bytes:
            raise _TooLargeError(f"An upload may have {self._limit_bytes} bytes at most.")


def _leave_to_pypiserver(environ: Environ, fields: dict[str, bytes]) -> None:
    """Without parts: the parser that bottle has for them takes quadratic time for some headers."""
    body = urlencode(fields).encode()
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)  # bottle would undo the chunks a second time


def _drop(_: bytes) -> None:
    pass


def _keep(fields: dict[str, bytes], name: str, data: bytes) -> None:
    fields[name] += data
    if len(fields[name]) > _FIELD_BYTES:
        raise MultipartError(f"The field {name!r} is longer than {_FIELD_BYTES} bytes.")


def _taken(filename: str, environ: Environ) -> HttpResponse:
    # twine takes a 400 with these words for an existing file; it has come to know 409 as well.
    twine = "twine" in environ.get("HTTP_USER_AGENT", "")
    return text("400 Bad Request" if twine else "409 Conflict", f"Package {filename!a} already exists.")
