"""HTTP requests to processes on this machine."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.common.failures import UnavailableError


@dataclass(frozen=True)
class Response:
    """Status and body of an answer."""

    status: int
    body: bytes


def send(
    method: str,
    address: str,
    path: str,
    timeout_s: float,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Send a request to a process. No proxy of the environment has a part in it, and no redirect is followed.

    Args:
        address: host and port, as in `127.0.0.1:8080`.
        timeout_s: for the connection, and for each pause in the answer.

    Raises:
        UnavailableError: there is no answer, or it is not HTTP; the message says which of the two, and why.
    """
    connection = http.client.HTTPConnection(address, timeout=timeout_s)
    return _answer(connection, method, path, f"http://{address}{path}", body=body, headers=headers)


def send_to_socket(method: str, socket_path: Path, path: str, timeout_s: float) -> Response:
    """As `send`, to a process that listens on a Unix socket."""
    return _answer(_UnixConnection(socket_path, timeout_s), method, path, f"{path} of {socket_path}")


def _answer(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    with contextlib.closing(connection):
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Response(answer.status, answer.read())
        except OSError as error:
            raise UnavailableError(f"{method} {url}: {error.strerror or error}") from error
        except http.client.HTTPException as error:
            raise UnavailableError(f"{method} {url}: the answer is not HTTP ({error!r})") from error


class _UnixConnection(http.client.HTTPConnection):
    """A connection to a Unix socket, however long its path: an address of one has 104 to 108 bytes."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            short = Path(f"/proc/self/fd/{folder}", self._path.name)
            self.sock.connect(str(short if short.exists() else self._path))
        finally:
            os.close(folder)
