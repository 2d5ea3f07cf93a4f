"""The load against a real pypiserver, and against a scripted index that does what real ones do on bad days."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import math
import resource
import socket
import ssl
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bench import client, http_client
from bench.client import Load, LoadResult, Progress
from bench.failures import DiskFullError, UnavailableError, UsageError
from bench.samples import ErrorKind, Operation, Recorder
from bench.target import Target
from bench.workloads import INSTALL_BY_NAME, WORKLOADS, Rate, Rounds, Workload, with_options

WHEEL = b"not really a wheel, but nobody opens it" * 100
DIGEST = hashlib.sha256(WHEEL).hexdigest()
ONE_INSTALL = Workload("one", "one install", Rounds(clients=1), install=INSTALL_BY_NAME)
OPERATIONS = ("redirect", "listing", "download", "upload")


# A scripted index.


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    connection: int
    """Connections are counted from 0, in the order in which they were made."""


@dataclass(frozen=True)
class Reply:
    data: bytes
    then: Literal["go on", "hang up", "wait"] = "go on"
    """Wait: until the client hangs up."""


Answer = bytes | Reply | Awaitable[bytes]


@dataclass
class ScriptedIndex:
    """A well-behaved index of the project `alpha`, except for the paths that the script answers in its own way."""

    script: Mapping[str, Callable[[Request], Answer] | Answer]
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    nobody_connected: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = self.connections
        self.connections += 1
        self.open_connections += 1
        self.nobody_connected.clear()
        try:
            while await self._answer(reader, writer, connection):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.open_connections -= 1
            if not self.open_connections:
                self.nobody_connected.set()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        request_line, *header_lines = head.strip().split("\r\n")
        method, path, _ = request_line.split(" ")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in header_lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Request(method, path, headers, body, connection)
        self.requests.append(request)

        scripted = self.script.get(path) or well_behaved(path)
        answer = scripted(request) if callable(scripted) else scripted
        if not isinstance(answer, bytes | Reply):
            answer = await answer
        reply = answer if isinstance(answer, Reply) else Reply(answer)
        writer.write(reply.data)
        await writer.drain()
        if reply.then == "wait":
            await reader.read()
        return reply.then == "go on"


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def listing(*hrefs: str) -> bytes:
    anchors = "".join(f'<a href="{href}">a file</a><br>' for href in hrefs)
    return http("200 OK", f"<!DOCTYPE html><html><body>{anchors}</body></html>".encode())


WHEEL_HREF = f"/packages/alpha-1.0-py3-none-any.whl#sha256={DIGEST}"
WHEEL_PATH = "/packages/alpha-1.0-py3-none-any.whl"


def well_behaved(path: str) -> bytes:
    return {
        "/alpha/": http("303 See Other", b"", "Location: /simple/alpha/"),
        "/simple/alpha/": listing(WHEEL_HREF),
        WHEEL_PATH: http("200 OK", WHEEL, "X-Served-By: task-7"),
        "/": http("200 OK"),
    }.get(path, http("404 Not Found"))


@asynccontextmanager
async def scripted_index(
    script: Mapping[str, Callable[[Request], Answer] | Answer] | None = None,
) -> AsyncIterator[ScriptedIndex]:
    index = ScriptedIndex(script or {})
    server = await asyncio.start_server(index.serve, "127.0.0.1", 0)
    index.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    try:
        yield index
    finally:
        server.close()
        if index.open_connections:
            await index.nobody_connected.wait()
        await server.wait_closed()


class RunOn(Protocol):
    def __call__(self, index: ScriptedIndex, workload: Workload = ..., **options: object) -> Awaitable[LoadResult]: ...


@pytest.fixture
def run_on(tmp_path: Path) -> RunOn:
    async def run(index: ScriptedIndex, workload: Workload = ONE_INSTALL, **options: object) -> LoadResult:
        target = Target(index.url, "user", "password")
        load = Load(target, workload, ["alpha"], [], 1, spill_dir=tmp_path, **options)  # type: ignore[arg-type]
        await load.run()
        return load.result()

    return run


def rows(result: LoadResult) -> list[tuple[str, int, str]]:
    """Operation, status and error of each request, in the order in which they ended."""
    samples = result.samples
    return [
        (OPERATIONS[operation], status, ErrorKind(error).name)
        for operation, status, error in zip(
            samples.operation.tolist(), samples.status.tolist(), samples.error.tolist(), strict=True
        )
    ]


def install(script: Mapping[str, Callable[[Request], Answer] | Answer], run_on: RunOn) -> list[tuple[str, int, str]]:
    """The rows of one install from an index with this script."""

    async def run() -> LoadResult:
        async with scripted_index(script) as index:
            return await run_on(index)

    return rows(uvloop.run(run()))


REDIRECTED = ("redirect", 303, "NONE")
LISTED = ("listing", 200, "NONE")
DOWNLOADED = ("download", 200, "NONE")


# What a client sends.


def test_an_install_is_a_redirect_a_listing_and_a_wheel_over_one_connection(run_on: RunOn) -> None:
    async def run() -> None:
        async with scripted_index() as index:
            result = await run_on(index)
            assert rows(result) == [REDIRECTED, LISTED, DOWNLOADED]
            assert [request.path for request in index.requests] == ["/alpha/", "/simple/alpha/", WHEEL_PATH]
            assert index.connections == 1

            samples = result.samples
            assert samples.received_bytes[2] == len(WHEEL)
            assert [samples.served_by_names[name] for name in samples.served_by] == ["", "", "task-7"]
            assert result.peak_in_flight == 1
            assert np.all(samples.due_s <= samples.sent_s)
            assert np.all(samples.sent_s <= samples.first_byte_s)
            assert np.all(samples.first_byte_s <= samples.done_s)
            assert samples.due_s[1:].tolist() == samples.done_s[:-1].tolist(), "each is due when the one before ended"

    uvloop.run(run())


def test_every_request_carries_the_credentials_and_names_an_installer(run_on: RunOn) -> None:
    async def run() -> None:
        async with scripted_index() as index:
            await run_on(index, with_options(WORKLOADS["burst"], clients=4))
            assert {request.headers["authorization"] for request in index.requests} == {"Basic dXNlcjpwYXNzd29yZA=="}
            assert {request.headers["host"] for request in index.requests} == {index.url[7:-1]}
            agents = [request.headers["user-agent"] for request in index.requests]
            assert sorted(agents) == ["pip/25.3"] * 6 + ["poetry/2.1.3"] * 6

    uvloop.run(run())


@pytest.mark.parametrize(
    ("cookies", "sent"),
    [("none", {None}), ("shared", {None, "affinity=task-7", "affinity=task-7; other=1"})],
)
def test_cookies_are_kept_only_where_that_is_asked_for(run_on: RunOn, cookies: str, sent: set[str | None]) -> None:
    script = {
        "/alpha/": http("303 See Other", b"", "Location: /simple/alpha/", "Set-Cookie: affinity=task-7; Path=/"),
        "/simple/alpha/": listing(WHEEL_HREF).replace(b"\r\n", b"\r\nSet-Cookie: other=1\r\n", 1),
    }

    async def run() -> None:
        async with scripted_index(script) as index:
            await run_on(index, with_options(WORKLOADS["burst"], clients=2), cookies=cookies)
            assert {request.headers.get("cookie") for request in index.requests} == sent

    uvloop.run(run())


def test_an_upload_is_the_form_that_twine_sends(tmp_path: Path) -> None:
    wheel = tmp_path / "new_package-1.0-py3-none-any.whl"
    # Larger than what sockets buffer, so that sending it has to wait for the reader.
    wheel.write_bytes(np.random.default_rng(1).bytes(8_000_000))

    async def run() -> None:
        async with scripted_index() as index:
            load = Load(
                Target(index.url, "user", "password"),
                with_options(WORKLOADS["uploads"], clients=1),
                ["alpha"],
                [wheel],
                1,
                spill_dir=tmp_path,
            )
            await load.run()
            assert rows(load.result()) == [("upload", 200, "NONE")]
            (request,) = index.requests
            assert (request.method, request.path) == ("POST", "/")
            assert request.headers["user-agent"].startswith("twine/")
            assert b'name=":action"\r\n\r\nfile_upload\r\n' in request.body
            assert b'filename="new_package-1.0-py3-none-any.whl"' in request.body
            assert request.body.count(wheel.read_bytes()) == 1

    uvloop.run(run())


# Listings and redirects as other indexes write them.


@pytest.mark.parametrize(
    "href",
    [
        f"../../packages/alpha-1.0-py3-none-any.whl#sha256={DIGEST}",
        f"/packages/alpha&#45;1.0-py3-none-any.whl#sha256={DIGEST}",
        f"/packages/alpha-1.0-py3-none-any.whl#sha256={DIGEST.upper()}",
        f"/packages/alpha-1.0-py3-none-any.whl#md5={hashlib.md5(WHEEL).hexdigest()}",
        "/packages/alpha-1.0-py3-none-any.whl",
    ],
)
def test_links_may_be_relative_escaped_and_of_any_digest(run_on: RunOn, href: str) -> None:
    assert install({"/simple/alpha/": listing(href)}, run_on) == [REDIRECTED, LISTED, DOWNLOADED]


def test_an_absolute_link_to_the_index_itself_is_followed(run_on: RunOn) -> None:
    def page(request: Request) -> bytes:
        return listing(f"http://{request.headers['host']}{WHEEL_HREF}")

    assert install({"/simple/alpha/": page}, run_on) == [REDIRECTED, LISTED, DOWNLOADED]


def test_a_listing_that_moved_is_followed_and_the_move_counted_as_a_redirect(run_on: RunOn) -> None:
    script = {
        "/simple/alpha/": http("301 Moved Permanently", b"", "Location: ../beta/?from=alpha"),
        "/simple/beta/?from=alpha": listing(WHEEL_HREF),
    }
    assert install(script, run_on) == [REDIRECTED, ("redirect", 301, "NONE"), LISTED, DOWNLOADED]


def test_an_index_that_answers_by_name_at_once_needs_no_redirect(run_on: RunOn) -> None:
    assert install({"/alpha/": listing(WHEEL_HREF)}, run_on) == [LISTED, DOWNLOADED]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n"),
        (b"hello", b"Content-Length: 5\r\n"),
    ],
)
def test_bodies_may_be_chunked(run_on: RunOn, body: bytes, headers: bytes) -> None:
    digest = hashlib.sha256(b"hello").hexdigest()
    script = {
        "/simple/alpha/": listing(f"{WHEEL_PATH}#sha256={digest}"),
        WHEEL_PATH: b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n" + body,
    }
    assert install(script, run_on) == [REDIRECTED, LISTED, DOWNLOADED]


def test_a_body_may_end_with_the_connection(run_on: RunOn) -> None:
    script = {WHEEL_PATH: Reply(b"HTTP/1.1 200 OK\r\n\r\n" + WHEEL, then="hang up")}
    assert install(script, run_on) == [REDIRECTED, LISTED, DOWNLOADED]


def test_an_interim_answer_is_not_the_answer(run_on: RunOn) -> None:
    script = {"/simple/alpha/": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + listing(WHEEL_HREF)}
    assert install(script, run_on) == [REDIRECTED, LISTED, DOWNLOADED]


# Failures: each is a row, and ends the install.


def test_a_status_of_400_or_more(run_on: RunOn) -> None:
    assert install({"/alpha/": http("404 Not Found")}, run_on) == [("redirect", 404, "STATUS")]
    unavailable = http("503 Service Unavailable", b"try later")
    assert install({"/simple/alpha/": unavailable}, run_on) == [REDIRECTED, ("listing", 503, "STATUS")]


@pytest.mark.parametrize(
    "page",
    [
        http("200 OK", b"\x00\x01 this is no page \xff"),
        http("200 OK", b"<!DOCTYPE html><title>Sign in</title>"),
        listing("/packages/alpha-1.0.tar.gz"),
        listing("https://elsewhere.invalid/alpha-1.0-py3-none-any.whl"),
    ],
)
def test_a_listing_of_no_use(run_on: RunOn, page: bytes) -> None:
    assert install({"/simple/alpha/": page}, run_on) == [REDIRECTED, ("listing", 200, "PROTOCOL")]


@pytest.mark.parametrize(
    "redirect",
    [
        http("303 See Other"),
        http("303 See Other", b"", "Location: https://elsewhere.invalid/simple/alpha/"),
        http("303 See Other", b"", "Location: http://[/"),
    ],
)
def test_a_redirect_of_no_use(run_on: RunOn, redirect: bytes) -> None:
    assert install({"/alpha/": redirect}, run_on) == [("redirect", 303, "PROTOCOL")]
    assert install({WHEEL_PATH: redirect}, run_on) == [REDIRECTED, LISTED, ("download", 303, "PROTOCOL")]


def test_redirects_without_end(run_on: RunOn) -> None:
    outcome = install({"/alpha/": http("302 Found", b"", "Location: /alpha/")}, run_on)
    assert outcome == [("redirect", 302, "NONE")] * 4 + [("redirect", 302, "PROTOCOL")]


def test_a_wheel_with_other_bytes_than_the_listing_promised(run_on: RunOn) -> None:
    tampered = http("200 OK", WHEEL[:-1] + b"!")
    assert install({WHEEL_PATH: tampered}, run_on) == [REDIRECTED, LISTED, ("download", 200, "DIGEST")]


def test_a_body_that_breaks_off(run_on: RunOn) -> None:
    async def run() -> None:
        async with scripted_index({WHEEL_PATH: Reply(http("200 OK", WHEEL)[:-10], then="hang up")}) as index:
            result = await run_on(index)
            assert rows(result)[-1] == ("download", 200, "DISCONNECTED")
            assert result.samples.received_bytes[-1] == len(WHEEL) - 10

    uvloop.run(run())


@pytest.mark.parametrize(
    ("path", "rows_before", "operation"), [("/alpha/", [], "redirect"), ("/simple/alpha/", [REDIRECTED], "listing")]
)
def test_an_answer_that_breaks_off_is_not_acted_upon(
    run_on: RunOn, path: str, rows_before: list[tuple[str, int, str]], operation: str
) -> None:
    whole = well_behaved(path)
    status = int(whole.split()[1])
    broken = Reply(whole.replace(b"Content-Length: ", b"Content-Length: 1"), then="hang up")
    assert install({path: broken}, run_on) == [*rows_before, (operation, status, "DISCONNECTED")]


@pytest.mark.parametrize("garbage", [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"])
def test_an_answer_that_is_not_http(run_on: RunOn, garbage: bytes) -> None:
    outcome = install({"/simple/alpha/": Reply(garbage, then="hang up")}, run_on)
    assert [row[2] for row in outcome] == ["NONE", "PROTOCOL"]


def test_nobody_listens(run_on: RunOn) -> None:
    async def run() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            result = await run_on(ScriptedIndex({}, url=f"http://127.0.0.1:{unused.getsockname()[1]}/"))
        assert rows(result) == [("redirect", 0, "CONNECT")]
        assert math.isnan(result.samples.first_byte_s[0])
        assert result.generator.exhausted == 0

    uvloop.run(run())


def test_an_answer_that_does_not_come_in_time(run_on: RunOn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "REQUEST_TIMEOUT_S", 0.05)

    async def run() -> None:
        async with scripted_index({"/simple/alpha/": Reply(b"", then="wait")}) as index:
            result = await run_on(index)
        assert rows(result) == [REDIRECTED, ("listing", 0, "TIMEOUT")]
        assert result.samples.latency_s[1] >= 0.05

    uvloop.run(run())


def test_a_connection_that_is_not_made_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_client, "CONNECT_TIMEOUT_S", 0.05)

    async def run() -> None:
        # It takes the connection, but is silent where a TLS handshake should follow.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            target = Target(f"https://127.0.0.1:{silent.getsockname()[1]}/")
            load = Load(target, ONE_INSTALL, ["alpha"], [], 1, spill_dir=tmp_path)
            await load.run()
        assert rows(load.result()) == [("redirect", 0, "CONNECT")]

    uvloop.run(run())


def test_a_host_that_nobody_knows(tmp_path: Path) -> None:
    load = Load(Target("http://unknown.invalid/"), ONE_INSTALL, ["alpha"], [], 1, spill_dir=tmp_path)
    with pytest.raises(UnavailableError, match=r"http://unknown\.invalid/"):
        uvloop.run(load.run())
    assert len(load.result().samples) == 0


@pytest.mark.parametrize("connection", ["Connection: close", "Connection: keep-alive"])
def test_an_upload_that_is_refused_before_it_was_sent(tmp_path: Path, connection: str) -> None:
    wheel = tmp_path / "new_package-1.0-py3-none-any.whl"
    wheel.write_bytes(b"x" * 8_000_000)

    async def run() -> None:
        hung_up = asyncio.Event()

        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """Answer the head, and read nothing of what follows."""
            await reader.readuntil(b"\r\n\r\n")
            writer.write(http("413 Content Too Large", b"", connection))
            with suppress(ConnectionError):
                while await reader.read(1 << 16):
                    await refused.wait()
            writer.close()
            hung_up.set()

        refused = asyncio.Event()
        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            workload = with_options(WORKLOADS["uploads"], clients=1)
            load = Load(Target(url), workload, ["alpha"], [wheel], 1, spill_dir=tmp_path)
            await load.run()
            refused.set()
            await hung_up.wait()
        assert rows(load.result()) == [("upload", 413, "STATUS")]

    uvloop.run(run())


# Connections that servers end.


def test_a_kept_connection_that_was_ended_is_replaced_once(run_on: RunOn) -> None:
    async def run() -> None:
        redirect = Reply(http("303 See Other", b"", "Location: /simple/alpha/"))
        first_listing = []

        def hang_up_once(request: Request) -> Answer:
            first_listing.append(request)
            return Reply(b"", then="hang up") if len(first_listing) == 1 else listing(WHEEL_HREF)

        async with scripted_index({"/alpha/": redirect, "/simple/alpha/": hang_up_once}) as index:
            result = await run_on(index)
            assert rows(result) == [REDIRECTED, LISTED, DOWNLOADED]
            assert [request.connection for request in index.requests] == [0, 0, 1, 1]

    uvloop.run(run())


def test_a_server_that_hangs_up_every_time_is_not_asked_for_ever(run_on: RunOn) -> None:
    async def run() -> None:
        async with scripted_index({"/simple/alpha/": Reply(b"", then="hang up")}) as index:
            assert rows(await run_on(index)) == [REDIRECTED, ("listing", 0, "DISCONNECTED")]
            assert len(index.requests) == 3

    uvloop.run(run())


def test_an_answer_that_had_begun_is_not_asked_for_again(run_on: RunOn) -> None:
    async def run() -> None:
        async with scripted_index({"/simple/alpha/": Reply(b"HTTP/1.1 200 OK\r\n", then="hang up")}) as index:
            assert rows(await run_on(index)) == [REDIRECTED, ("listing", 0, "DISCONNECTED")]
            assert len(index.requests) == 2

    uvloop.run(run())


def test_a_server_that_announces_the_end_of_the_connection_gets_a_new_one(run_on: RunOn) -> None:
    async def run() -> None:
        closing = Reply(http("303 See Other", b"", "Location: /simple/alpha/", "Connection: close"))
        async with scripted_index({"/alpha/": closing}) as index:
            assert rows(await run_on(index)) == [REDIRECTED, LISTED, DOWNLOADED]
            assert [request.connection for request in index.requests] == [0, 1, 1]

    uvloop.run(run())


def test_bytes_that_nobody_asked_for_end_the_connection_and_not_the_install(run_on: RunOn) -> None:
    async def run() -> None:
        two_answers = well_behaved("/alpha/") + http("200 OK", b"stray")
        async with scripted_index({"/alpha/": two_answers}) as index:
            assert rows(await run_on(index)) == [REDIRECTED, LISTED, DOWNLOADED]
            assert [request.connection for request in index.requests] == [0, 1, 1]

    uvloop.run(run())


def self_signed_certificate(path: Path) -> Path:
    """A certificate for localhost and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    traditional = serialization.PrivateFormat.TraditionalOpenSSL
    path.write_bytes(key.private_bytes(pem, traditional, serialization.NoEncryption()) + certificate.public_bytes(pem))
    return path


def test_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed_certificate(tmp_path / "localhost.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)

    async def run() -> list[tuple[str, int, str]]:
        index = ScriptedIndex({})
        server = await asyncio.start_server(index.serve, "127.0.0.1", 0, ssl=tls)
        async with server:
            target = Target(f"https://localhost:{server.sockets[0].getsockname()[1]}/")
            load = Load(target, ONE_INSTALL, ["alpha"], [], 1, spill_dir=tmp_path)
            await load.run()
            if index.open_connections:
                await index.nobody_connected.wait()
        return rows(load.result())

    assert uvloop.run(run()) == [("redirect", 0, "CONNECT")], "a certificate that nobody vouches for"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert uvloop.run(run()) == [REDIRECTED, LISTED, DOWNLOADED]


# The load as a whole.


def test_due_times_do_not_wait_for_the_index(run_on: RunOn) -> None:
    """An index that answers nobody before everybody has asked: who waited for answers would wait for ever."""
    arrivals = 40
    workload = Workload("open", "40 lookups in 0.2 s", Rate(60 / 0.2 * arrivals * 2, duration_s=0.2))

    async def run() -> None:
        all_asked = asyncio.Event()

        async def wait_for_all(_: Request) -> bytes:
            if len(index.requests) == arrivals:
                all_asked.set()
            await all_asked.wait()
            return listing(WHEEL_HREF)

        async with scripted_index({"/simple/alpha/": wait_for_all}) as index:
            result = await run_on(index, workload)
            samples = result.samples
            assert result.peak_in_flight == arrivals
            listings = samples.where(samples.operation == Operation.LISTING)
            assert len(listings) == arrivals
            assert np.ptp(listings.due_s) > 0.1
            first_to_be_due = np.argmin(listings.due_s)
            assert listings.latency_s[first_to_be_due] >= np.ptp(listings.due_s), "the stall counts for those it held"

    uvloop.run(run())


def test_a_repeated_burst_starts_whole_rounds_until_its_time_is_over(tmp_path: Path) -> None:
    packages = [f"package-{number}" for number in range(50)]
    redirect = http("303 See Other", b"", "Location: /simple/alpha/")

    async def run() -> None:
        async with scripted_index({f"/{package}/": redirect for package in packages}) as index:
            workload = with_options(WORKLOADS["burst"], clients=3, duration_s=0.3)
            load = Load(Target(index.url), workload, packages, [], 1, spill_dir=tmp_path)
            await load.run()
            samples = load.result().samples
            assert len(samples) % (3 * 3) == 0
            assert not samples.failed.any()
            assert samples.due_s.max() > 0.1
            assert index.connections == len(samples) / 3, "each client of each round is a new one"

            asked = [request.path for request in index.requests if request.path.startswith("/package-")]
            rounds = {tuple(sorted(asked[start : start + 3])) for start in range(0, len(asked), 3)}
            assert len(rounds) > 1, "each round chooses its packages anew"

    uvloop.run(run())


def test_a_cancelled_load_closes_its_connections_and_keeps_its_rows(tmp_path: Path) -> None:
    async def run() -> None:
        clients, stalled = 30, asyncio.Semaphore(0)

        def stall(_: Request) -> Answer:
            stalled.release()
            return Reply(b"", then="wait")

        async with scripted_index({WHEEL_PATH: stall}) as index:
            workload = with_options(WORKLOADS["burst"], clients=clients)
            load = Load(Target(index.url), workload, ["alpha"], [], 1, spill_dir=tmp_path)
            running = asyncio.create_task(load.run())
            for _ in range(clients):
                await stalled.acquire()
            assert index.open_connections == clients
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await index.nobody_connected.wait()

        result = load.result()
        assert sorted(set(rows(result))) == [LISTED, REDIRECTED]
        assert len(result.samples) == 2 * clients, "the downloads had no outcome"
        assert result.peak_in_flight == clients
        assert result.generator.wall_s > 0

    uvloop.run(run())


def test_a_full_disk_ends_the_load_with_that_error(run_on: RunOn, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DiskFullError("the spill folder")

    monkeypatch.setattr(Recorder, "record", fail)

    async def run() -> None:
        async with scripted_index() as index:
            with pytest.raises(DiskFullError):
                await run_on(index, with_options(WORKLOADS["burst"], clients=5))

    uvloop.run(run())


def test_progress_is_reported(run_on: RunOn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PROGRESS_INTERVAL_S", 0.01)
    seen: list[Progress] = []

    async def run() -> None:
        async def wait_for_progress(_: Request) -> bytes:
            while not any(progress.in_flight for progress in seen):
                await asyncio.sleep(0.001)
            return listing(WHEEL_HREF)

        async with scripted_index({"/simple/alpha/": wait_for_progress}) as index:
            await run_on(index, on_progress=seen.append)
            await asyncio.sleep(0)
            assert not any(task.get_name() == "progress" for task in asyncio.all_tasks()), "it ends with the load"

    uvloop.run(run())
    assert seen[-1].in_flight == 1
    assert (seen[-1].requests, seen[-1].failed, seen[-1].duration_s) == (1, 0, None)


def test_more_clients_than_the_machine_has_files_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    load = Load(
        Target("http://127.0.0.1:1/"),
        with_options(WORKLOADS["burst"], clients=5000),
        ["alpha"],
        [],
        1,
        spill_dir=tmp_path,
    )
    with pytest.raises(UsageError, match=r"--clients 5000.*4096 open files"):
        uvloop.run(load.run())


# The real pypiserver.


class RealServer(Protocol):
    url: str
    username: str
    password: str
    packages: Path


def make_wheel(folder: Path, name: str, version: str, size_bytes: int = 2000) -> Path:
    module = name.replace("-", "_")
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{module}/__init__.py", np.random.default_rng(len(name)).bytes(size_bytes))
        wheel.writestr(f"{module}-{version}.dist-info/METADATA", f"Name: {name}\nVersion: {version}\n")
    return path


def run_against(server: RealServer, workload: Workload, packages: list[str], uploads: list[Path]) -> LoadResult:
    target = Target(server.url, server.username, server.password)
    load = Load(target, workload, packages, uploads, 1, spill_dir=server.packages.parent)
    uvloop.run(load.run())
    return load.result()


def test_a_burst_on_pypiserver_takes_the_newest_wheel_of_each(pypi_server: RealServer) -> None:
    packages = ["alpha", "beta-gamma"]
    for package in packages:
        for version, size_bytes in (("1.0.0", 1000), ("1.10.0", 3000), ("1.9.0", 2000)):
            make_wheel(pypi_server.packages, package, version, size_bytes)
    result = run_against(pypi_server, with_options(WORKLOADS["burst"], clients=20), packages, [])

    samples = result.samples
    assert not samples.failed.any()
    assert np.bincount(samples.operation).tolist() == [20, 20, 20]
    assert result.peak_in_flight == 20
    newest = {path.stat().st_size for path in pypi_server.packages.glob("*-1.10.0-*.whl")}
    assert set(samples.received_bytes[samples.operation == Operation.DOWNLOAD].tolist()) == newest


def test_uploads_to_pypiserver_arrive_byte_for_byte(pypi_server: RealServer, tmp_path: Path) -> None:
    wheels = [make_wheel(tmp_path, f"new-{number}", "1.0.0", 200_000) for number in range(12)]
    workload = with_options(WORKLOADS["uploads"], clients=12)
    result = run_against(pypi_server, workload, ["alpha"], wheels)

    assert rows(result) == [("upload", 200, "NONE")] * 12
    assert {path.name: path.read_bytes() for path in pypi_server.packages.iterdir()} == {
        path.name: path.read_bytes() for path in wheels
    }
    again = run_against(pypi_server, workload, ["alpha"], wheels)
    assert {status for _, status, _ in rows(again)} == {400}, "what pypiserver answers twine for a file that it has"


def test_a_replay_against_pypiserver_makes_every_recorded_request(pypi_server: RealServer) -> None:
    make_wheel(pypi_server.packages, "alpha", "1.0.0")
    result = run_against(pypi_server, with_options(WORKLOADS["incident_replay"], speed=1200), ["alpha"], [])
    assert len(result.samples) == 1494
    assert not result.samples.failed.any()


def test_pypiserver_refuses_a_wrong_password(pypi_server: RealServer, tmp_path: Path) -> None:
    make_wheel(pypi_server.packages, "alpha", "1.0.0")
    target = Target(pypi_server.url, pypi_server.username, "wrong")
    load = Load(target, with_options(WORKLOADS["burst"], clients=3), ["alpha"], [], 1, spill_dir=tmp_path)
    uvloop.run(load.run())
    assert sorted(rows(load.result())) == [("listing", 403, "STATUS")] * 3 + [REDIRECTED] * 3
