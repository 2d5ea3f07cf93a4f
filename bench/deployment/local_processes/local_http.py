"""HTTP requests to processes on this machine."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Mapping
from dataclasses import dataclass

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
    with contextlib.closing(http.client.HTTPConnection(address, timeout=timeout_s)) as connection:
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Response(answer.status, answer.read())
        except OSError as error:
            raise UnavailableError(f"{method} http://{address}{path}: {error.strerror or error}") from error
        except http.client.HTTPException as error:
            raise UnavailableError(f"{method} http://{address}{path}: the answer is not HTTP ({error!r})") from error
