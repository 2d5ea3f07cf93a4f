"""One question before the load, so that a wrong address or password is one sentence and not a report of failures."""

from __future__ import annotations

import ssl

from bench.common.failures import UnavailableError
from bench.index.client import Exchange, IndexSession
from bench.index.connection import CONNECT_TIMEOUT_S, REQUEST_TIMEOUT_S
from bench.index.errors import ErrorKind
from bench.index.pages import NotAListingError, project_names
from bench.index.target import Target


async def probe(target: Target) -> tuple[str, ...]:
    """Ask for /simple/, once; returns the projects that the index names there.

    Raises:
        UnavailableError: the index cannot be reached, refuses, or is none.
    """
    path = target.simple_path
    url = f"{target.origin}{path}"
    session = await IndexSession.open(target)
    with session.client() as client:
        answer = await client.get(path, "text/html")
    if answer.error:
        raise UnavailableError(_failure(url, answer, is_pinned=target.certificate_pem is not None))
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
        return project_names(answer.body)
    except NotAListingError as error:
        raise UnavailableError(f"{url} is no package index: {error}") from error


def _failure(url: str, answer: Exchange, *, is_pinned: bool) -> str:
    """Why no answer came, in a sentence."""
    match answer.error, answer.cause:
        case ErrorKind.CONNECT, ssl.SSLCertVerificationError() if is_pinned:
            return f"{url} has another certificate than the one that was made for it: somebody stands in between"
        case ErrorKind.CONNECT, TimeoutError():
            return f"{url} did not take a connection in {CONNECT_TIMEOUT_S:g} s: is it up?"
        case ErrorKind.CONNECT, ssl.SSLCertVerificationError() as error:
            return (
                f"{url} has a certificate that is not trusted here ({error.verify_message}): set SSL_CERT_FILE to the "
                "certificate of the authority that issued it"
            )
        case ErrorKind.CONNECT, ssl.SSLError() as error:
            reason = (error.reason or "no TLS").replace("_", " ").lower()
            return f"{url} does not answer with TLS ({reason}): is it an http URL?"
        case ErrorKind.CONNECT, error:
            return f"no connection to {url}: {(error and error.strerror) or error}"
        case ErrorKind.TIMEOUT, _:
            return f"{url} did not answer in {REQUEST_TIMEOUT_S:g} s"
        case ErrorKind.DISCONNECTED, _:
            return f"{url} ended the connection before its answer was complete"
        case _:
            hint = "" if url.startswith("https:") else ": is it an https URL?"
            return f"{url} answered with something that is not HTTP{hint}"
