"""Filling an index through its upload endpoint, as twine does, and checking that it lists what it took."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urljoin

from bench.common.failures import UnavailableError
from bench.index.client import HTML, Exchange, IndexSession
from bench.index.errors import ErrorKind
from bench.index.pages import NotAListingError, listed_files, newest_wheel, project_names
from bench.index.target import Target
from bench.index.upload import Form
from bench.packages.factory import Wheel

T = TypeVar("T")

# An upload takes as long as the line needs, and a loaded index may think for a while.
_TIMEOUT_S = 600.0
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


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
    """`publish_async`, for callers without an event loop.

    Args:
        url: of the index; /simple/ lies below it.
        username: empty for an index that asks for no credentials.

    Raises:
        UsageError: `url` is not the URL of an index.
    """
    asyncio.run(publish_async(Target(url, username, password), wheels, concurrency, on_progress))


async def publish_async(
    target: Target,
    wheels: Sequence[Wheel],
    concurrency: int = 4,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Upload wheels to an index, then check that it lists each of them with its digest.

    Args:
        concurrency: how many requests are under way at once.
        on_progress: called after each upload with how many there were, and of all.

    Raises:
        UnavailableError: the index cannot be reached, refuses, or does not list what it took.
    """
    uploaded = 0

    async def upload(index: _Index, wheel: Wheel) -> None:
        nonlocal uploaded
        await index.upload(wheel)
        uploaded += 1
        if on_progress:
            on_progress(uploaded, len(wheels))

    session = await IndexSession.open(target, timeout_s=_TIMEOUT_S)
    # An index that refuses an upload may hang up before its answer is read. A request without a body learns why.
    await _projects(session)
    await _each(session, wheels, upload, concurrency)
    await _check_listed(session, wheels, concurrency)


async def missing_wheels(target: Target, wheels: Sequence[Wheel], concurrency: int = 4) -> tuple[Wheel, ...]:
    """Those wheels that an index does not list with their digest.

    Raises:
        UnavailableError: the index cannot be reached, refuses, or is none.
    """
    listed: dict[str, set[tuple[str, str | None]]] = {}

    async def look(index: _Index, name: str) -> None:
        listed[name] = {(package.filename, package.sha256) for package in await index.installable(name)}

    session = await IndexSession.open(target, timeout_s=_TIMEOUT_S)
    await _each(session, dict.fromkeys(wheel.name for wheel in wheels), look, concurrency)
    return tuple(wheel for wheel in wheels if (wheel.filename, wheel.sha256) not in listed[wheel.name])


async def fetch_catalogue(target: Target, projects: int, concurrency: int = 4) -> tuple[IndexedPackage, ...]:
    """What an index holds of the first `projects` projects that it names, but for those without a wheel to install.

    Raises:
        UnavailableError: the index cannot be reached, refuses, is none, or has no wheel.
    """
    listings: dict[str, tuple[IndexedPackage, ...]] = {}

    async def fetch(index: _Index, name: str) -> None:
        listings[name] = await index.installable(name)

    session = await IndexSession.open(target, timeout_s=_TIMEOUT_S)
    names = (await _projects(session))[:projects]
    if not names:
        raise UnavailableError(f"the index at {session.target.root_url} is empty")
    await _each(session, names, fetch, concurrency)
    catalogue = tuple(package for name in names for package in listings[name])
    if not catalogue:
        raise UnavailableError(
            f"the index at {session.target.root_url} has no wheel that an installer would take in the first "
            f"{len(names)} of its projects, and clients of a load install wheels: raise --packages, or upload one"
        )
    return catalogue


async def _projects(session: IndexSession) -> tuple[str, ...]:
    with closing(_Index(session)) as index:
        return await index.projects()


async def _check_listed(session: IndexSession, wheels: Sequence[Wheel], concurrency: int) -> None:
    async def check(index: _Index, name: str) -> None:
        listed = {package.filename: package.sha256 for package in await index.listing(name)}
        for wheel in wheels:
            if wheel.name == name and wheel.filename not in listed:
                raise UnavailableError(f"the index at {index.url} took {wheel.filename} but does not list it")
            if wheel.name == name and listed[wheel.filename] != wheel.sha256:
                raise UnavailableError(
                    f"the index at {index.url} lists {wheel.filename} with SHA-256 {listed[wheel.filename]}, "
                    f"but {wheel.sha256} was uploaded"
                )

    await _each(session, dict.fromkeys(wheel.name for wheel in wheels), check, concurrency)


async def _each(
    session: IndexSession, items: Iterable[T], work: Callable[[_Index, T], Awaitable[None]], concurrency: int
) -> None:
    """Do `work` on every item, with several clients at once. The first failure ends the rest and is raised."""
    remaining = iter(items)

    async def worker() -> None:
        with closing(_Index(session)) as index:
            for item in remaining:
                await work(index, item)

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(concurrency):
                workers.create_task(worker())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


class _Index:
    """An index, as one client publishes to it. Anything but success is an `UnavailableError`."""

    def __init__(self, session: IndexSession) -> None:
        self.url = session.target.root_url
        self._client = session.client()
        self._target = session.target

    def close(self) -> None:
        self._client.close()

    async def upload(self, wheel: Wheel) -> None:
        self._demand_success(await self._client.post(Form.of_upload(wheel.path)), f"the upload of {wheel.filename}")

    async def projects(self) -> tuple[str, ...]:
        url = f"{self._target.origin}{self._target.simple_path}"
        try:
            return project_names(await self._page(self._target.simple_path, url))
        except NotAListingError as error:
            raise UnavailableError(f"{url} is no package index: {error}") from error

    async def listing(self, name: str) -> tuple[IndexedPackage, ...]:
        path = self._target.listing_path(name)
        return self._packages(name, path, await self._page(path, f"{self._target.origin}{path}"))

    async def installable(self, name: str) -> tuple[IndexedPackage, ...]:
        """As `listing`; nothing of a project that has no page, or no wheel that an installer would take."""
        path = self._target.listing_path(name)
        answer = await self._client.get(path, HTML)
        if answer.status == HTTPStatus.NOT_FOUND:
            return ()
        self._demand_success(answer, f"{self._target.origin}{path}")
        packages = self._packages(name, path, answer.body)
        try:
            newest_wheel(answer.body)
        except NotAListingError:
            return ()
        return packages

    def _packages(self, name: str, path: str, page: bytes) -> tuple[IndexedPackage, ...]:
        url = f"{self._target.origin}{path}"
        try:
            return tuple(
                IndexedPackage(name, file.filename, urljoin(url, file.reference), file.sha256)
                for file in listed_files(page)
            )
        except (NotAListingError, ValueError) as error:  # a value that makes no URL with that of the page
            raise UnavailableError(f"{url} is no listing of a package index: {error}") from error

    async def _page(self, path: str, url: str) -> bytes:
        answer = await self._client.get(path, HTML)
        self._demand_success(answer, url)
        return answer.body

    def _demand_success(self, answer: Exchange, what: str) -> None:
        if not answer.is_success:
            raise UnavailableError(self._failure(answer, what) if answer.error else self._refusal(answer, what))

    def _failure(self, answer: Exchange, what: str) -> str:
        match answer.error:
            case ErrorKind.CONNECT:
                return f"no connection to the index at {self.url}: {answer.connection_failure}"
            case ErrorKind.TIMEOUT:
                return f"the index at {self.url} gave no answer to {what} in time"
            case ErrorKind.PROTOCOL:
                return f"the index at {self.url} answered {what} with what is not HTTP"
            case _:
                return f"the index at {self.url} broke off {what}"

    def _refusal(self, answer: Exchange, what: str) -> str:
        status = f"{answer.status} {_PHRASES.get(answer.status, '')}".strip()
        match answer.status:
            case 401 | 403:
                user = (
                    f"the password of {self._target.username!r}" if self._target.username else "a client without a name"
                )
                also = ", and whether the user may upload" if answer.status == 403 else ""
                return f"the index at {self.url} refused {user} ({status}): check the user name and the password{also}"
            case 409:
                return f"the index at {self.url} refused {what}, it holds that file already: start with an empty index"
            case 301 | 302 | 303 | 307 | 308:
                return f"the index at {self.url} leads elsewhere, to {answer.location}: give its own URL"
            case _:
                return f"the index at {self.url} answered {what} with {status}"
