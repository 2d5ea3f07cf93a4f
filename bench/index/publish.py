"""Filling an index through its upload endpoint, as twine does, and checking that it lists what it took."""

from __future__ import annotations

import asyncio
import hashlib
import os
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.parser import HeaderParser
from html.parser import HTMLParser
from typing import TypeVar
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import aiohttp

from bench.common.failures import UnavailableError
from bench.index.pages import NotAListingError, project_names
from bench.index.target import Target
from bench.packages.factory import Wheel

T = TypeVar("T")

_CONNECT_TIMEOUT_S = 10.0
# For as long as nothing comes; a loaded index may think for a while.
_READ_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class IndexedPackage:
    """A file that an index lists."""

    name: str
    """Of its project."""
    filename: str
    url: str
    """Absolute, without fragment."""
    sha256: str | None
    """In hex; None where the listing gives none."""


def publish(
    url: str,
    username: str,
    password: str,
    wheels: Sequence[Wheel],
    concurrency: int = 4,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """`publish_async`, for callers without an event loop."""
    asyncio.run(publish_async(url, username, password, wheels, concurrency, on_progress))


async def publish_async(
    url: str,
    username: str,
    password: str,
    wheels: Sequence[Wheel],
    concurrency: int = 4,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Upload wheels to an index, then check that it lists each of them with its digest.

    Args:
        url: of the index; /simple/ lies below it.
        username: empty for an index that asks for no credentials.
        concurrency: how many requests are under way at once.
        on_progress: called after each upload with how many there were, and of all.

    Raises:
        UsageError: `url` is not the URL of an index.
        UnavailableError: the index cannot be reached, refuses, or does not list what it took.
    """
    uploaded = 0

    async def upload(wheel: Wheel) -> None:
        nonlocal uploaded
        await index.upload(wheel)
        uploaded += 1
        if on_progress:
            on_progress(uploaded, len(wheels))

    async with _connected(Target(url, username, password), concurrency) as index:
        # Whoever refuses an upload may hang up before its answer is read: a request without a body is told why.
        await index.projects()
        await _each(wheels, upload, concurrency)
        await _check_listed(index, wheels, concurrency)


async def fetch_catalogue(
    url: str, username: str, password: str, projects: int, concurrency: int = 4
) -> tuple[IndexedPackage, ...]:
    """What an index holds of the first `projects` projects that it names.

    Raises:
        UsageError: `url` is not the URL of an index.
        UnavailableError: the index cannot be reached, refuses, is empty, or is none.
    """
    listings: dict[str, tuple[IndexedPackage, ...]] = {}

    async def fetch(name: str) -> None:
        listings[name] = await index.listing(name)

    async with _connected(Target(url, username, password), concurrency) as index:
        names = (await index.projects())[:projects]
        if not names:
            raise UnavailableError(f"the index at {index.url} is empty")
        await _each(names, fetch, concurrency)
    return tuple(package for name in names for package in listings[name])


async def _check_listed(index: _Index, wheels: Sequence[Wheel], concurrency: int) -> None:
    async def check(name: str) -> None:
        listed = {package.filename: package.sha256 for package in await index.listing(name)}
        for wheel in wheels:
            if wheel.name == name and wheel.filename not in listed:
                raise UnavailableError(f"the index at {index.url} took {wheel.filename} but does not list it")
            if wheel.name == name and listed[wheel.filename] != wheel.sha256:
                raise UnavailableError(
                    f"the index at {index.url} lists {wheel.filename} with SHA-256 {listed[wheel.filename]}, "
                    f"but {wheel.sha256} was uploaded"
                )

    await _each(dict.fromkeys(wheel.name for wheel in wheels), check, concurrency)


async def _each(items: Iterable[T], work: Callable[[T], Awaitable[None]], concurrency: int) -> None:
    """Do `work` on every item, several at once. The first failure ends the rest and is raised."""
    remaining = iter(items)

    async def worker() -> None:
        for item in remaining:
            await work(item)

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(concurrency):
                workers.create_task(worker())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


@asynccontextmanager
async def _connected(target: Target, concurrency: int) -> AsyncIterator[_Index]:
    headers = {"User-Agent": "pypiserver-bench"}
    if target.username:
        headers["Authorization"] = aiohttp.encode_basic_auth(target.username, target.password)
    async with aiohttp.ClientSession(
        headers=headers,
        connector=aiohttp.TCPConnector(limit=concurrency),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S, sock_read=_READ_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        yield _Index(session, target)


class _Index:
    """An index, as far as publishing needs it. Whatever is not the answer hoped for is an `UnavailableError`."""

    def __init__(self, session: aiohttp.ClientSession, target: Target) -> None:
        self.url = f"{target.origin}{target.base_path}/"
        self._session = session
        self._target = target

    async def upload(self, wheel: Wheel) -> None:
        """Upload a wheel, read from disk while it is sent."""
        # Quoting would turn ":action" into "%3Aaction".
        form = aiohttp.FormData(quote_fields=False)
        for field, value in _upload_fields(wheel).items():
            form.add_field(field, value)
        with wheel.path.open("rb") as content:
            form.add_field("content", content, filename=wheel.filename, content_type="application/octet-stream")
            await self._request("POST", self.url, f"the upload of {wheel.filename}", form)

    async def projects(self) -> tuple[str, ...]:
        """The names on /simple/."""
        url = f"{self.url}simple/"
        page = await self._request("GET", url, url)
        try:
            return project_names(page)
        except NotAListingError as error:
            raise UnavailableError(f"{url} is no package index: {error}") from error

    async def listing(self, name: str) -> tuple[IndexedPackage, ...]:
        """The files of a project."""
        url = f"{self._target.origin}{self._target.listing_path(name)}"
        page = await self._request("GET", url, url)
        links = _Links()
        try:
            links.feed(page.decode("utf-8", errors="replace"))
            return tuple(_indexed(name, urljoin(url, link)) for link in links.found)
        except (ValueError, AssertionError) as error:  # a link that is none, a declaration that is none
            raise UnavailableError(f"{url} is no listing of a package index: {error}") from error

    async def _request(self, method: str, url: str, what: str, form: aiohttp.FormData | None = None) -> bytes:
        try:
            async with self._session.request(method, url, data=form, allow_redirects=False) as answer:
                body = await answer.read()
        except TimeoutError as error:
            raise UnavailableError(f"the index at {self.url} gave no answer to {what} in time: {error}") from error
        except aiohttp.ClientConnectorError as error:
            number = error.os_error.errno or 0  # the event loop puts its own words in place of the system's
            reason = os.strerror(number) if number > 0 else error.os_error
            raise UnavailableError(f"no connection to the index at {self.url}: {reason}") from error
        except aiohttp.ClientResponseError as error:
            raise UnavailableError(f"the index at {self.url} answered {what} with what is not HTTP") from error
        except aiohttp.ClientError as error:
            raise UnavailableError(f"the index at {self.url} broke off {what}: {error}") from error
        if 200 <= answer.status < 300:
            return body
        raise UnavailableError(self._refusal(what, answer))

    def _refusal(self, what: str, answer: aiohttp.ClientResponse) -> str:
        status = f"{answer.status} {answer.reason}"
        match answer.status:
            case 401 | 403:
                user = (
                    f"the password of {self._target.username!r}" if self._target.username else "a client without a name"
                )
                return f"the index at {self.url} refused {user} ({status}): check the user name and the password"
            case 409:
                return f"the index at {self.url} refused {what}, it holds that file already: start with an empty index"
            case 301 | 302 | 303 | 307 | 308:
                return f"the index at {self.url} leads elsewhere, to {answer.headers.get('Location')}: give its own URL"
            case _:
                return f"the index at {self.url} answered {what} with {status}"


def _upload_fields(wheel: Wheel) -> dict[str, str]:
    """The form that goes with a file, its names being the headers' of its METADATA."""
    dist_info = f"{wheel.name.replace('-', '_')}-{wheel.version}.dist-info"
    with zipfile.ZipFile(wheel.path) as archive:
        metadata = HeaderParser().parsestr(archive.read(f"{dist_info}/METADATA").decode())
    headers = ("Metadata-Version", "Name", "Version", "Summary", "Requires-Python")
    with wheel.path.open("rb") as content:
        blake2 = hashlib.file_digest(content, lambda: hashlib.blake2b(digest_size=32)).hexdigest()
    return {
        ":action": "file_upload",
        "protocol_version": "1",
        **{header.lower().replace("-", "_"): metadata[header] for header in headers},
        "pyversion": "py3",
        "filetype": "bdist_wheel",
        "sha256_digest": wheel.sha256,
        "blake2_256_digest": blake2,
    }


class _Links(HTMLParser):
    """Where the anchors of a page lead."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and (reference := dict(attrs).get("href")):
            self.found.append(reference)


def _indexed(name: str, link: str) -> IndexedPackage:
    url, fragment = urldefrag(link)
    algorithm, _, digest = fragment.partition("=")
    filename = unquote(urlsplit(url).path.rpartition("/")[2])
    return IndexedPackage(name, filename, url, digest.lower() if algorithm == "sha256" else None)
