"""Target of requests: the address of an index and the credentials for it."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from bench.common.failures import UsageError

_LISTINGS = "/simple"
_DEVPI_LISTINGS = "/+simple"
_DEFAULT_PORTS = {"http": 80, "https": 443}
# What a request line may carry unchanged; everything else is percent-encoded.
_REQUEST_TARGET_SAFE = "/%:@!$&'()*+,;=~-._?"


@dataclass(frozen=True)
class Target:
    """A package index, and who asks it.

    Raises:
        UsageError: `url` is not the http or https URL of an index, or carries the credentials itself.
    """

    url: str
    """Where the index lives; /simple/ lies below it. It may end in /simple/, or in /+simple/ for devpi."""
    username: str = ""
    """Empty for an index that asks for no credentials."""
    password: str = field(default="", repr=False)
    reader: Target | None = field(default=None, repr=False)
    """The same index as a user who may only install; None: nobody else is known."""
    uploader: Target | None = field(default=None, repr=False)
    """The same index as a user who may only install and publish; None: nobody else is known."""
    certificate_pem: str | None = field(default=None, repr=False)
    """The one certificate that the server must have, whatever name is in it; None: one that this machine trusts."""

    def __post_init__(self) -> None:
        if "@" in self.url:
            # The URL itself is not quoted here: it holds a password.
            raise UsageError("--url carries credentials: set PYPI_USERNAME and PYPI_PASSWORD instead")
        if problem := _problem(self.url):
            raise UsageError(f"--url {self.url!r}: {problem}")
        if ":" in self.username:
            raise UsageError(f"--username {self.username}: a user name with a colon cannot be sent to an index")

    @cached_property
    def _parts(self) -> SplitResult:
        return urlsplit(self.url)

    @property
    def is_https(self) -> bool:
        return self._parts.scheme == "https"

    @property
    def host(self) -> str:
        return self._parts.hostname or ""

    @property
    def port(self) -> int:
        return self._parts.port or _DEFAULT_PORTS[self._parts.scheme]

    @cached_property
    def origin(self) -> str:
        """Scheme and authority of every request, as in `https://index.example:8443`."""
        return f"{self._parts.scheme}://{self._parts.netloc}"

    @cached_property
    def _has_devpi_paths(self) -> bool:
        return self._parts.path.rstrip("/").endswith(_DEVPI_LISTINGS)

    @cached_property
    def base_path(self) -> str:
        """The path that /simple/ lies below, without a slash at its end."""
        listings = _DEVPI_LISTINGS if self._has_devpi_paths else _LISTINGS
        return quote(self._parts.path.rstrip("/").removesuffix(listings), safe=_REQUEST_TARGET_SAFE)

    @cached_property
    def simple_path(self) -> str:
        """The path of the list of projects, with a slash at its end."""
        return f"{self.base_path}{_DEVPI_LISTINGS if self._has_devpi_paths else _LISTINGS}/"

    @property
    def root_url(self) -> str:
        """Where uploads go, and what /simple/ lies below."""
        return f"{self.origin}{self.base_path}/"

    @cached_property
    def authorization(self) -> str:
        """The value of the Authorization header; empty for an index that asks for no credentials."""
        if not self.username:
            return ""
        # The environment may hold bytes that are not UTF-8: they are sent as they are.
        plain = f"{self.username}:{self.password}".encode("utf-8", "surrogateescape")
        return f"Basic {base64.b64encode(plain).decode('ascii')}"

    def project_path(self, project: str) -> str:
        """Where a client that knows only the name asks; an index of pypiserver redirects it to the listing.

        devpi-server redirects nobody: its clients ask for the listing.
        """
        if self._has_devpi_paths:
            return self.listing_path(project)
        return f"{self.base_path}/{quote(project, safe='')}/"

    def listing_path(self, project: str) -> str:
        return f"{self.simple_path}{quote(project, safe='')}/"

    def path_of(self, reference: str, page_path: str) -> str | None:
        """The path, with its query, that `reference` on the page at `page_path` leads to.

        None where it leads to another host, port or scheme: the load, and the credentials, stay with the index. None
        also where it is no URL.
        """
        return _path_of(self.origin, reference, page_path)


def _problem(url: str) -> str | None:
    """What makes a URL none of an index, and what to do about it."""
    if not url.isascii() or not url.isprintable():
        return "it holds characters that no URL has: write them percent-encoded, and a host in punycode (xn--)"
    if url != url.strip():
        return "it begins or ends with a space: remove the space"
    scheme, separator, rest = url.partition("://")
    if not separator:
        return f"it has no scheme: did you mean https://{url}?" if url else "it is empty: name the URL of the index"
    if scheme.lower() not in _DEFAULT_PORTS:
        return f"an index is reached by http or https, not by {scheme}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")  # as connecting does: no part of it is empty or longer than 63 letters
    except ValueError:
        return f"{rest.partition('/')[0]} is not a host with a port from 1 to 65535"
    if not host or " " in host:
        return "it has no host, such as pypiserver.example.com"
    if port == 0:
        return "0 is not a port from 1 to 65535"
    return (
        "the URL of an index ends with its path: leave out the query and the fragment" if parts[3] or parts[4] else None
    )


@lru_cache(maxsize=4096)
def _path_of(origin: str, reference: str, page_path: str) -> str | None:
    try:
        url = urlsplit(urljoin(origin + page_path, reference))
        if _origin(url) != _origin(urlsplit(origin)):
            return None
        path = quote(url.path or "/", safe=_REQUEST_TARGET_SAFE)
        return f"{path}?{quote(url.query, safe=_REQUEST_TARGET_SAFE)}" if url.query else path
    except ValueError:  # no URL, or text that is not UTF-8
        return None


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or _DEFAULT_PORTS.get(url.scheme)
