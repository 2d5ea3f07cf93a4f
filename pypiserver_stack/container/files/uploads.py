"""Uploads, answered as pypiserver does, but streamed: no client waits for the package of another."""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from time import monotonic
from typing import NamedTuple
from urllib.parse import urlencode

from pypiserver_stack.container.base.core_metadata import valid_specifier
from pypiserver_stack.container.files.existing_files import ExistingFiles
from pypiserver_stack.container.files.multipart import FormPart, MultipartError, boundary_of, read_form
from pypiserver_stack.container.files.package_check import RefusedPackageError, check_content, check_name
from pypiserver_stack.container.files.package_store import Incoming, PackageStore, StoreError
from pypiserver_stack.container.http.response import Environ, HttpResponse, text

PYPISERVER_BODY_BYTES = 64 * 1024
"""The largest body that pypiserver gets."""
_NO_ATTESTATIONS = (
    "This index keeps no attestations (PEP 740), and drops none in silence. Upload the package without them: twine "
    "without --attestations, uv with --no-attestations."
)
_READ_BYTES = 64 * 1024  # where gunicorn's reader is at its fastest
_FIELD_BYTES = 1024
# The algorithms of digests, and the fields of a form that claim one.
_DIGESTS = {"sha256": "sha256_digest", "blake2b": "blake2_256_digest", "md5": "md5_digest"}
_FIELDS = (":action", "name", "version", "requires_python", "reason", "attestations", *_DIGESTS.values())
_LOG_INTERVAL_S = 10

_FILENAME = re.compile(r"[a-z0-9_!+-][a-z0-9_.!+-]{0,254}", re.I | re.A)  # no leading dot: no listing would show it
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_log = logging.getLogger("gunicorn.error")


class _Digest:
    """What is left of a file whose name is taken: it is not written."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self.write = self._sha256.update

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()


class _File(NamedTuple):
    filename: str
    refusal: str | None
    """What is wrong with its name."""
    rival: str | None
    """The file that it may not replace."""
    content: Incoming | _Digest


class _TooLargeError(Exception):
    pass


class Uploads:
    """Answers to `POST /` of a client that may upload."""

    def __init__(self, store: PackageStore, existing: ExistingFiles, *, overwrite: bool, limit_bytes: int) -> None:
        """
        Args:
            limit_bytes: the largest body, with the form around the package.
        """
        self._store = store
        self._existing = existing
        self._overwrite = overwrite
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
            refusal = _wrong_name(part.filename)
            rival = None if refusal else self._existing.rival_of(part.filename)
            keeps_out = refusal or rival
            content = _Digest() if keeps_out else cleanup.enter_context(self._store.incoming(_claimed(fields)))
            files[part.name] = _File(part.filename, refusal, rival, content)
            return content.write

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
            del piece  # not held while the next one comes, or does not come
        if failure is not None:
            raise failure
        return fields, files

    def _publish(self, fields: dict[str, bytes], files: dict[str, _File], environ: Environ) -> HttpResponse:
        package, signature = files["content"], files.get("gpg_signature")
        if signature is not None and signature.filename != f"{package.filename}.asc":
            wanted_name = f"{package.filename}.asc"
            return _refused(f"The signature of {package.filename!a} has to be called {wanted_name!a}.")
        if fields.get("attestations"):
            return _refused(_NO_ATTESTATIONS)
        wanted = [file for file in (package, signature) if file is not None]
        if package.refusal is None and (unsigned := self._missing_package(package.filename)) is not None:
            return _refused(f"There is no {unsigned!a} to sign: upload it together with its signature.")
        for file in wanted:
            if file.refusal is not None:
                return _refused(file.refusal)
            rival = file.rival
            if rival is not None and (rival != file.filename or not self._existing.has(rival, file.content.sha256)):
                return _taken(file.filename, rival, environ)
        for filename, _, _, content in wanted:
            if isinstance(content, _Digest):
                continue  # an upload is repeated, perhaps because its answer was lost
            of_package = (*fields,) if content is package.content else ("name", "version")
            claims = {field: _text(fields[field]) for field in of_package if field in fields}
            try:
                self._store_package(filename, content, claims)
            except RefusedPackageError as error:
                return _refused(str(error))
            except FileExistsError:
                if not self._existing.has(filename, content.sha256):
                    return _taken(filename, filename, environ)
        return HttpResponse("200 OK", [("Content-Length", "0")], [])

    def _missing_package(self, filename: str) -> str | None:
        """The package that a signature is uploaded without; None where it is there, and for all but signatures."""
        signed = filename.removesuffix(".asc")
        is_there = signed == filename or (_wrong_name(signed) is None and self._existing.exists(signed))
        return None if is_there else signed

    def _store_package(self, filename: str, content: Incoming, claims: dict[str, str]) -> None:
        for algorithm, field in _DIGESTS.items():
            claimed = claims.get(field, "").lower()
            if claimed and claimed != (arrived := content.digest(algorithm)):
                digest = field.removesuffix("_digest")
                raise RefusedPackageError(f"The {digest} of what arrived is {arrived}, not {claimed!a}.")
        check = partial(
            check_content, filename=filename, name=claims.get("name", ""), version=claims.get("version", "")
        )
        package = content.read(check)
        python = valid_specifier(claims.get("requires_python", ""))
        content.publish(
            filename, package.project, metadata=package.metadata, claimed_python=python, overwrite=self._overwrite
        )

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
            del chunk
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


def _wrong_name(filename: str) -> str | None:
    if not _FILENAME.fullmatch(filename):
        return f"Bad filename: {filename!a}"
    try:
        check_name(filename)
    except RefusedPackageError as error:
        return str(error)
    return None


def _claimed(fields: dict[str, bytes]) -> list[str]:
    """The algorithms of the digests that a form has claimed so far."""
    return [algorithm for algorithm, field in _DIGESTS.items() if fields.get(field)]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").strip()


def _refused(sentence: str) -> HttpResponse:
    return text("400 Bad Request", sentence)


def _drop(_: bytes) -> None:
    pass


def _keep(fields: dict[str, bytes], name: str, data: bytes) -> None:
    if name == "attestations":
        data = b"any"[: len(data)] if not fields[name] else b""  # whether there are any is enough
    fields[name] += data
    if len(fields[name]) > _FIELD_BYTES:
        raise MultipartError(f"The field {name!r} is longer than {_FIELD_BYTES} bytes.")


def _taken(filename: str, rival: str, environ: Environ) -> HttpResponse:
    # twine takes a 400 with these words for an existing file; it has come to know 409 as well.
    twine = "twine" in environ.get("HTTP_USER_AGENT", "")
    sentence = f"Package {rival!a} already exists."
    if rival != filename:
        sentence += f" Installers would take {filename!a} in its place: give what has changed a new version."
    return text("400 Bad Request" if twine else "409 Conflict", sentence)
