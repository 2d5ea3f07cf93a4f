"""multipart/form-data (RFC 7578) as a stream: nothing is collected, so a part may be as large as it likes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

MAX_HEADERS_BYTES = 16 * 1024
MAX_PARTS = 5_000

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")  # RFC 2046, 5.1.1
# No two parts next to each other take the same character: a line that does not match takes linear time.
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\x00-\x08\x0a-\x1f\x7f]*)")
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;"]*))')
_ESCAPED = re.compile(r'\\(["\\])')


class MultipartError(Exception):
    """The body is not a form as RFC 7578 has it, or it ends early."""


class FormPart(NamedTuple):
    """Header of a part. `filename` is None for a plain field."""

    name: str
    filename: str | None


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type header names.

    Raises:
        MultipartError: it names none that RFC 2046 allows.
    """
    boundary = _parameters(content_type).get("boundary", "")
    if not _BOUNDARY.fullmatch(boundary):
        raise MultipartError("Content-Type names no boundary of 1 to 70 allowed characters.")
    return boundary.encode()


def read_form(chunks: Iterable[bytes], boundary: bytes) -> Iterator[FormPart | bytes]:
    """Each part as a `FormPart`, followed by its data in pieces, however `chunks` are cut.

    Takes time in proportion to the bytes, and holds no more than one chunk and one part's headers. `chunks` are read
    to their end, and what follows the last boundary is dropped.

    Raises:
        MultipartError: the form is malformed, or `chunks` end before its last boundary.
    """
    return _Form(chunks, boundary).read()


class _Form:
    def __init__(self, chunks: Iterable[bytes], boundary: bytes) -> None:
        self._chunks = iter(chunks)
        self._delimiter = b"\r\n--" + boundary
        self._buffer = bytearray(b"\r\n")  # the first boundary may stand at the very start, with no line before it
        self._position = 0  # what lies before it is done with
        self._closed = False

    def read(self) -> Iterator[FormPart | bytes]:
        for _ in self._data(0):  # what stands before the first boundary means nothing
            pass
        parts = 0
        while not self._closed:
            parts += 1
            if parts > MAX_PARTS:
                raise MultipartError(f"The form has more than {MAX_PARTS} parts.")
            yield self._part()
            # An empty part may have no line of its own: the line break that ends its headers begins its boundary.
            yield from self._data(self._position - 2)
        for _ in self._chunks:
            pass

    def _part(self) -> FormPart:
        searched = self._position
        while (end := self._buffer.find(b"\r\n\r\n", searched)) < 0:
            searched = max(searched, len(self._buffer) - 3)
            self._bound_headers(searched)
            searched -= self._more(self._position)
        self._bound_headers(end)
        lines = bytes(self._buffer[self._position : end]).split(b"\r\n")
        self._position = end + 4
        return _part(lines)

    def _bound_headers(self, end: int) -> None:
        if end - self._position > MAX_HEADERS_BYTES:
            raise MultipartError(f"The headers of a part are longer than {MAX_HEADERS_BYTES} bytes.")

    def _data(self, searched: int) -> Iterator[bytes]:
        """The bytes up to the next boundary line, which is consumed. The search begins at `searched`."""
        length = len(self._delimiter)
        while True:
            found = self._buffer.find(self._delimiter, searched)
            after = found + length
            if found < 0 or len(self._buffer) < after + 2:
                # What may yet turn out to be the boundary stays.
                searched = found if found >= 0 else max(searched, len(self._buffer) - length + 1)
                yield from self._pass(searched)
                searched -= self._more(min(searched, self._position))
                continue
            ending = bytes(self._buffer[after : after + 2])
            if ending in (b"\r\n", b"--"):
                yield from self._pass(found)
                self._position = after + 2
                self._closed = ending == b"--"
                return
            searched = after  # a line that only begins as the boundary does is data

    def _pass(self, end: int) -> Iterator[bytes]:
        if end > self._position:
            yield bytes(self._buffer[self._position : end])
            self._position = end

    def _more(self, done: int) -> int:
        """Add the next chunk, and drop the first `done` bytes: by how much everything moved."""
        # Before the wait for the next one: a client that stops sending must not hold two.
        del self._buffer[:done]
        self._position -= done
        chunk = next(self._chunks, None)
        if chunk is None:
            raise MultipartError("The form ends before its last boundary.")
        self._buffer += chunk
        return done


def _part(lines: list[bytes]) -> FormPart:
    dispositions = []
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise MultipartError("A part has a malformed header.")
        if header[1].lower() == b"content-disposition":
            dispositions.append(header[2].strip(b" \t").decode("utf-8", "replace"))
    if len(dispositions) != 1 or not re.match(r"form-data\s*;", dispositions[0], re.I):
        raise MultipartError("A part has no single `Content-Disposition: form-data`.")
    parameters = _parameters(dispositions[0])
    if "name" not in parameters:
        raise MultipartError("A part has no name.")
    return FormPart(parameters["name"], parameters.get("filename"))


def _parameters(value: str) -> dict[str, str]:
    return {
        name.lower(): _ESCAPED.sub(r"\1", quoted) or bare.strip() for name, quoted, bare in _PARAMETER.findall(value)
    }
