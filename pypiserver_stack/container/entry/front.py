"""WSGI middleware before pypiserver: the check of credentials, and the responses that most requests need.

Everything needs credentials but the pages that pypiserver shows to anybody: its welcome page, the health check, and the
redirect from a project's name to its listing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from time import perf_counter
from typing import Any
from urllib.parse import quote

from pypiserver.pkg_helpers import normalize_pkgname

from pypiserver_stack.container.access.authentication import Authenticator
from pypiserver_stack.container.access.roles import Role, missing_right
from pypiserver_stack.container.files.downloads import Downloads
from pypiserver_stack.container.files.uploads import PYPISERVER_BODY_BYTES, Uploads
from pypiserver_stack.container.http.conditions import is_unchanged
from pypiserver_stack.container.http.cross_site import is_cross_site
from pypiserver_stack.container.http.negotiation import accepts_gzip, wants_json
from pypiserver_stack.container.http.response import Environ, Headers, HttpResponse, text
from pypiserver_stack.container.http.timing import Timing
from pypiserver_stack.container.index.looks import IndexUnavailableError
from pypiserver_stack.container.index.package_index import PackageIndex
from pypiserver_stack.container.index.pages import ListingPage

StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# A browser takes a package for nothing else, and tells no other site which page it came from.
_SAFE = [("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer")]
_UNAVAILABLE = text("503 Service Unavailable", "the packages cannot be read at the moment", [("Retry-After", "2")])


class Front:
    """WSGI middleware around pypiserver."""

    def __init__(
        self,
        pypiserver: Application,
        authenticate: Authenticator,
        uploads: Uploads,
        *,
        index: PackageIndex | None,
        downloads: Downloads | None,
        response_headers: Headers,
    ) -> None:
        """
        Args:
            index, downloads: None leaves listings and files to pypiserver.
            response_headers: sent with every response to a client that has given its credentials; with them
                Server-Timing, which public responses have too; empty sends neither.
        """
        self._pypiserver = pypiserver
        self._authenticate = authenticate
        self._uploads = uploads
        self._index = index
        self._downloads = downloads
        self._response_headers = response_headers

    @property
    def answers_most(self) -> bool:
        """Whether listings and files are answered here."""
        return self._index is not None

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        response = self.answer(environ)
        if response is None:
            # bottle would make its redirects of what any client puts there.
            environ.pop("HTTP_X_FORWARDED_HOST", None)
            return self._pypiserver(environ, self._with_headers(start_response, environ))
        start_response(response.status, response.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else response.body

    def answer(self, environ: Environ) -> HttpResponse | None:
        """The whole response; None leaves the request to pypiserver."""
        timing = environ["pypiserver.timing"] = Timing()
        # WSGI hands bytes over as Latin-1; names of files are UTF-8, or bytes that are nothing.
        # An absolute URL may have none: bottle takes that for the root.
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "surrogateescape") or "/"
        try:
            response = self._answer(environ, path, timing) or _too_large_for_pypiserver(environ)
        except IndexUnavailableError:
            response = _UNAVAILABLE
        if response is None:
            return None
        # How long a refusal took would help to guess a password.
        measured = [] if response.status.startswith(("401", "429")) else self._headers(environ)
        return response._replace(headers=[*response.headers, *_SAFE, *measured])

    def _answer(self, environ: Environ, path: str, timing: Timing) -> HttpResponse | None:
        """None leaves the request to pypiserver."""
        method = environ["REQUEST_METHOD"]
        reads = method in ("GET", "HEAD")
        if not reads and is_cross_site(environ):
            return text("403 Forbidden", "A page of another site sent this request: nothing was done.")
        if reads and (public := _public(path)) is not _NOT_PUBLIC:
            return public
        started_s = perf_counter()
        refusal = self._authenticate(environ)
        timing["auth_s"] = perf_counter() - started_s
        if refusal is not None:
            return refusal
        # Before the body: which action it asks for only the body says, but no action is of those who may only read.
        if not reads and path != "/RPC2" and (sentence := missing_right(environ, Role.UPLOAD)) is not None:
            return text("403 Forbidden", sentence)
        if method == "POST" and path == "/":
            return self._uploads(environ)
        if self._index is None or self._downloads is None or not reads:
            return None
        if path.startswith("/simple/"):
            return self._listing(environ, path[len("/simple/") :], timing)
        if path == "/packages/":
            return _page(environ, self._index.packages_page())
        if path.startswith("/packages/"):
            started_s = perf_counter()
            file = self._downloads(environ, path[len("/packages/") :])
            timing["file_s"] = perf_counter() - started_s
            return file
        return None

    def _listing(self, environ: Environ, rest: str, timing: Timing) -> HttpResponse | None:
        assert self._index is not None
        as_json = wants_json(environ.get("HTTP_ACCEPT", ""))
        project, slash, more = rest.partition("/")
        if more or (project and not slash):
            return None
        normalised = normalize_pkgname(project)
        if project != normalised:
            return _redirect("301 Moved Permanently", f"/simple/{quote(normalised, errors='surrogateescape')}/")
        started_s = perf_counter()
        page = self._index.project_page(project, as_json) if project else self._index.root_page(as_json)
        timing["index_s"] = perf_counter() - started_s
        if page is None:
            return text("404 Not Found", f"there is no project {project!a}")
        return _page(environ, page)

    def _headers(self, environ: Environ) -> Headers:
        server_timing = environ["pypiserver.timing"].header()  # the access log wants the total too
        if not self._response_headers:
            return []
        # Anybody could count the tasks by it.
        served_by = self._response_headers if "REMOTE_USER" in environ else []
        return [*served_by, ("Server-Timing", server_timing)]

    def _with_headers(self, start_response: StartResponse, environ: Environ) -> StartResponse:
        def start(status: str, headers: Headers, exc_info: Any = None) -> Any:
            return start_response(status, [*headers, *_SAFE, *self._headers(environ)], exc_info)

        return start


_NOT_PUBLIC = text("", "")


def _public(path: str) -> HttpResponse | None:
    """The response that needs no credentials; None leaves it to pypiserver."""
    if path == "/health":
        return text("200 OK", "Ok")
    if path in ("/", "/favicon.ico"):
        return None
    project = path.strip("/")
    if "/" in project or project in ("simple", "packages", ""):
        return _NOT_PUBLIC
    return _redirect("303 See Other", f"/simple/{quote(project, errors='surrogateescape')}/")


def _too_large_for_pypiserver(environ: Environ) -> HttpResponse | None:
    """None lets pypiserver have the body: it reads all of it at once, and parses it while everybody else waits."""
    chunked = "HTTP_TRANSFER_ENCODING" in environ
    if not chunked and int(environ.get("CONTENT_LENGTH") or 0) <= PYPISERVER_BODY_BYTES:
        return None
    sentence = f"A request that uploads no package may have {PYPISERVER_BODY_BYTES} bytes at most, and says how many."
    return text("413 Request Entity Too Large", sentence)


def _redirect(status: str, path: str) -> HttpResponse:
    return HttpResponse(status, [("Location", path), ("Content-Length", "0")], [])


def _page(environ: Environ, page: ListingPage) -> HttpResponse:
    # "no-cache" lets a client keep the page and has it ask each time whether it is still the same.
    headers = [("Cache-Control", "private, no-cache"), ("Vary", "Accept, Accept-Encoding")]
    typed = [("Content-Type", page.content_type)]
    body, etag = page.body, page.etag
    if page.gzip_body is not None and accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
        body, etag = page.gzip_body, page.gzip_etag
        typed.append(("Content-Encoding", "gzip"))
    headers.append(("ETag", etag))
    if is_unchanged(environ, etag):
        return HttpResponse("304 Not Modified", headers, [])
    return HttpResponse("200 OK", [*typed, ("Content-Length", str(len(body))), *headers], [body])
