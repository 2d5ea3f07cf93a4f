"""One question before the load, so that a wrong address or password is one sentence and not a report of failures."""

from __future__ import annotations

import ssl

from bench.common.failures import UnavailableError
from bench.index.errors import ErrorKind
from bench.index.http_client import CONNECT_TIMEOUT_S, REQUEST_TIMEOUT_S, Endpoint, connect
from bench.index.pages import NotAListingError, project_names
from bench.index.target import Target


async def probe(target: Target) -> tuple[str, ...]:
    """Ask for /simple/, once.

    Returns:
        The projects that the index names there.

    Raises:
        UnavailableError: the index cannot be reached, refuses, or is none.
    """
    path = f"{target.base_path}/simple/"
    url = f"{target.origin}{path}"
    try:
        connection = await connect(await Endpoint.of(target))
    except TimeoutError as error:
        raise UnavailableError(f"{url} did not take a connection in {CONNECT_TIMEOUT_S:g} s: is it up?") from error
    except ssl.SSLCertVerificationError as error:
        raise UnavailableError(
            f"{url} has a certificate that is not trusted here ({error.verify_message}): set SSL_CERT_FILE to the "
            "certificate of the authority that issued it"
        ) from error
    except ssl.SSLError as error:
        reason = (error.reason or "no TLS").replace("_", " ").lower()
        raise UnavailableError(f"{url} does not answer with TLS ({reason}): is it an http URL?") from error
    except OSError as error:
        raise UnavailableError(f"no connection to {url}: {error.strerror or error}") from error

    page: list[bytes] = []
    request = f"GET {path} HTTP/1.1\r\nAccept: text/html\r\nAccept-Encoding: identity\r\nConnection: close\r\n"
    try:
        answer = await connection.request(request.encode("ascii") + target.headers + b"\r\n", page.append)
    finally:
        connection.abort()

    match answer.error:
        case ErrorKind.NONE:
            pass
        case ErrorKind.TIMEOUT:
            raise UnavailableError(f"{url} did not answer in {REQUEST_TIMEOUT_S:g} s")
        case ErrorKind.DISCONNECTED:
            raise UnavailableError(f"{url} ended the connection before its answer was complete")
        case _:
            hint = "" if target.is_https else ": is it an https URL?"
            raise UnavailableError(f"{url} answered with something that is not HTTP{hint}")
    if answer.status in (401, 403):
        asked = f"the credentials of {target.username!r}" if target.username else "a client without credentials"
        raise UnavailableError(
            f"{url} refused {asked} with status {answer.status}: set PYPI_USERNAME and PYPI_PASSWORD"
        )
    if answer.is_redirect:
        raise UnavailableError(f"{url} leads to {answer.location}: give the URL of the index itself")
    if answer.status >= 400:
        raise UnavailableError(f"{url} answered with status {answer.status}: no package index is up there")
    try:
        return project_names(b"".join(page))
    except NotAListingError as error:
        raise UnavailableError(f"{url} is no package index: {error}") from error
