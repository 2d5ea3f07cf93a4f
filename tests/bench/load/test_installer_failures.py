"""What a client makes of an index on its bad days: each failure is a row, and ends the install."""

from __future__ import annotations

import asyncio
import math
import socket
from contextlib import suppress
from pathlib import Path

import pytest
import uvloop

from bench.index import connection
from bench.load.workloads import WORKLOADS, with_options
from tests.bench.scripted_index import (
    DOWNLOADED,
    LISTED,
    REDIRECTED,
    WHEEL,
    WHEEL_HREF,
    WHEEL_PATH,
    Answer,
    Reply,
    Request,
    http,
    install,
    listing,
    rows,
    scripted_index,
    send,
    well_behaved,
)
from tests.pypiserver_stack.container.small_packages import make_wheel


def test_a_status_of_400_or_more(tmp_path: Path) -> None:
    assert uvloop.run(install({"/alpha/": http("404 Not Found")}, tmp_path)) == [("redirect", 404, "STATUS")]
    unavailable = http("503 Service Unavailable", b"try later")
    assert uvloop.run(install({"/simple/alpha/": unavailable}, tmp_path)) == [REDIRECTED, ("listing", 503, "STATUS")]


@pytest.mark.parametrize(
    "page",
    [
        http("200 OK", b"\x00\x01 this is no page \xff"),
        http("200 OK", b"<!DOCTYPE html><title>Sign in</title>"),
        listing("/packages/alpha-1.0.tar.gz"),
        listing("https://elsewhere.invalid/alpha-1.0-py3-none-any.whl"),
    ],
)
def test_a_listing_of_no_use(tmp_path: Path, page: bytes) -> None:
    assert uvloop.run(install({"/simple/alpha/": page}, tmp_path)) == [REDIRECTED, ("listing", 200, "PROTOCOL")]


@pytest.mark.parametrize(
    "redirect",
    [
        http("303 See Other"),
        http("303 See Other", b"", "Location: https://elsewhere.invalid/simple/alpha/"),
        http("303 See Other", b"", "Location: http://[/"),
        http("303 See Other", b"", "Location: /no-utf-8").replace(b"no-utf-8", b"\xff"),
    ],
)
def test_a_redirect_of_no_use(tmp_path: Path, redirect: bytes) -> None:
    assert uvloop.run(install({"/alpha/": redirect}, tmp_path)) == [("redirect", 303, "PROTOCOL")]
    assert uvloop.run(install({WHEEL_PATH: redirect}, tmp_path)) == [REDIRECTED, LISTED, ("download", 303, "PROTOCOL")]


def test_redirects_without_end(tmp_path: Path) -> None:
    outcome = uvloop.run(install({"/alpha/": http("302 Found", b"", "Location: /alpha/")}, tmp_path))
    assert outcome == [("redirect", 302, "NONE")] * 4 + [("redirect", 302, "PROTOCOL")]


def test_a_wheel_with_other_bytes_than_the_listing_promised(tmp_path: Path) -> None:
    tampered = http("200 OK", WHEEL[:-1] + b"!")
    assert uvloop.run(install({WHEEL_PATH: tampered}, tmp_path)) == [REDIRECTED, LISTED, ("download", 200, "DIGEST")]


def test_a_body_that_breaks_off(tmp_path: Path) -> None:
    async def run() -> None:
        async with scripted_index({WHEEL_PATH: Reply(http("200 OK", WHEEL)[:-10], then="hang up")}) as index:
            result = await send(index.url, tmp_path)
            assert rows(result)[-1] == ("download", 200, "DISCONNECTED")
            assert result.samples.received_bytes[-1] == len(WHEEL) - 10

    uvloop.run(run())


@pytest.mark.parametrize(
    ("path", "rows_before", "operation"), [("/alpha/", [], "redirect"), ("/simple/alpha/", [REDIRECTED], "listing")]
)
def test_an_answer_that_breaks_off_is_not_acted_upon(
    tmp_path: Path, path: str, rows_before: list[tuple[str, int, str]], operation: str
) -> None:
    whole = well_behaved(path)
    status = int(whole.split()[1])
    broken = Reply(whole.replace(b"Content-Length: ", b"Content-Length: 1"), then="hang up")
    assert uvloop.run(install({path: broken}, tmp_path)) == [*rows_before, (operation, status, "DISCONNECTED")]


@pytest.mark.parametrize("garbage", [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"])
def test_an_answer_that_is_not_http(tmp_path: Path, garbage: bytes) -> None:
    outcome = uvloop.run(install({"/simple/alpha/": Reply(garbage, then="hang up")}, tmp_path))
    assert [row[2] for row in outcome] == ["NONE", "PROTOCOL"]


def test_nobody_listens(tmp_path: Path) -> None:
    async def run() -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            result = await send(f"http://127.0.0.1:{unused.getsockname()[1]}/", tmp_path)
        assert rows(result) == [("redirect", 0, "CONNECT")]
        assert math.isnan(result.samples.first_byte_s[0])
        assert result.exhausted == 0

    uvloop.run(run())


def test_an_answer_that_does_not_come_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_TIMEOUT_S", 0.05)

    async def run() -> None:
        async with scripted_index({"/simple/alpha/": Reply(b"", then="wait")}) as index:
            result = await send(index.url, tmp_path)
        assert rows(result) == [REDIRECTED, ("listing", 0, "TIMEOUT")]
        assert result.samples.latency_s[1] >= 0.05

    uvloop.run(run())


def test_a_connection_that_is_not_made_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT_S", 0.05)

    async def run() -> None:
        # It takes the connection, but is silent where a TLS handshake should follow.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            result = await send(f"https://127.0.0.1:{silent.getsockname()[1]}/", tmp_path)
        assert rows(result) == [("redirect", 0, "CONNECT")]

    uvloop.run(run())


@pytest.mark.parametrize("connection", ["Connection: close", "Connection: keep-alive"])
def test_an_upload_that_is_refused_before_it_was_sent(tmp_path: Path, connection: str) -> None:
    wheel = make_wheel(tmp_path, "new-package", "1.0", padding=b"x" * 8_000_000)

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
            result = await send(url, tmp_path, workload, uploads=(wheel,))
            refused.set()
            await hung_up.wait()
        assert rows(result) == [("upload", 413, "STATUS")]

    uvloop.run(run())


# Connections that servers end.


def test_a_kept_connection_that_was_ended_is_replaced_once(tmp_path: Path) -> None:
    async def run() -> None:
        redirect = Reply(http("303 See Other", b"", "Location: /simple/alpha/"))
        first_listing = []

        def hang_up_once(request: Request) -> Answer:
            first_listing.append(request)
            return Reply(b"", then="hang up") if len(first_listing) == 1 else listing(WHEEL_HREF)

        async with scripted_index({"/alpha/": redirect, "/simple/alpha/": hang_up_once}) as index:
            result = await send(index.url, tmp_path)
            assert rows(result) == [REDIRECTED, LISTED, DOWNLOADED]
            assert [request.connection for request in index.requests] == [0, 0, 1, 1]

    uvloop.run(run())


def test_a_server_that_hangs_up_every_time_is_not_asked_for_ever(tmp_path: Path) -> None:
    async def run() -> None:
        async with scripted_index({"/simple/alpha/": Reply(b"", then="hang up")}) as index:
            assert rows(await send(index.url, tmp_path)) == [REDIRECTED, ("listing", 0, "DISCONNECTED")]
            assert len(index.requests) == 3

    uvloop.run(run())


def test_an_answer_that_had_begun_is_not_asked_for_again(tmp_path: Path) -> None:
    async def run() -> None:
        async with scripted_index({"/simple/alpha/": Reply(b"HTTP/1.1 200 OK\r\n", then="hang up")}) as index:
            assert rows(await send(index.url, tmp_path)) == [REDIRECTED, ("listing", 0, "DISCONNECTED")]
            assert len(index.requests) == 2

    uvloop.run(run())


def test_a_server_that_announces_the_end_of_the_connection_gets_a_new_one(tmp_path: Path) -> None:
    async def run() -> None:
        closing = Reply(http("303 See Other", b"", "Location: /simple/alpha/", "Connection: close"))
        async with scripted_index({"/alpha/": closing}) as index:
            assert rows(await send(index.url, tmp_path)) == [REDIRECTED, LISTED, DOWNLOADED]
            assert [request.connection for request in index.requests] == [0, 1, 1]

    uvloop.run(run())


def test_bytes_that_nobody_asked_for_end_the_connection_and_not_the_install(tmp_path: Path) -> None:
    async def run() -> None:
        two_answers = well_behaved("/alpha/") + http("200 OK", b"stray")
        async with scripted_index({"/alpha/": two_answers}) as index:
            assert rows(await send(index.url, tmp_path)) == [REDIRECTED, LISTED, DOWNLOADED]
            assert [request.connection for request in index.requests] == [0, 1, 1]

    uvloop.run(run())
