"""What one client sends, and the listings and redirects that it follows."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
import uvloop

from bench.load.workloads import WORKLOADS, with_options
from tests.bench.scripted_index import (
    DIGEST,
    DOWNLOADED,
    LISTED,
    REDIRECTED,
    WHEEL,
    WHEEL_HREF,
    WHEEL_PATH,
    Reply,
    Request,
    http,
    install,
    listing,
    rows,
    scripted_index,
    send,
)
from tests.pypiserver_stack.container.small_packages import make_wheel


def test_an_install_is_a_redirect_a_listing_and_a_wheel_over_one_connection(tmp_path: Path) -> None:
    async def run() -> None:
        async with scripted_index() as index:
            result = await send(index.url, tmp_path)
            assert rows(result) == [REDIRECTED, LISTED, DOWNLOADED]
            assert [request.path for request in index.requests] == ["/alpha/", "/simple/alpha/", WHEEL_PATH]
            assert index.connections == 1

            samples = result.samples
            assert samples.received_bytes[2] == len(WHEEL)
            assert [samples.served_by_names[name] for name in samples.served_by] == ["", "", "task-7"]
            np.testing.assert_equal(samples.server_s, [math.nan, math.nan, 0.00061])
            np.testing.assert_allclose(samples.auth_s, [math.nan, math.nan, 0.000042])
            assert np.all(samples.due_s <= samples.sent_s)
            assert np.all(samples.sent_s <= samples.first_byte_s)
            assert np.all(samples.first_byte_s <= samples.done_s)
            assert samples.due_s[1:].tolist() == samples.done_s[:-1].tolist(), "each is due when the one before ended"

    uvloop.run(run())


def test_every_request_carries_the_credentials_and_names_an_installer(tmp_path: Path) -> None:
    async def run() -> None:
        async with scripted_index() as index:
            await send(index.url, tmp_path, with_options(WORKLOADS["burst"], clients=4))
            assert {request.headers["authorization"] for request in index.requests} == {"Basic dXNlcjpwYXNzd29yZA=="}
            assert {request.headers["host"] for request in index.requests} == {index.url[7:-1]}
            agents = [request.headers["user-agent"] for request in index.requests]
            assert sorted(agents) == ["pip/25.3"] * 6 + ["poetry/2.1.3"] * 6

    uvloop.run(run())


@pytest.mark.parametrize(
    ("cookies", "sent"),
    [("none", {None}), ("shared", {None, "affinity=task-7", "affinity=task-7; other=1"})],
)
def test_cookies_are_kept_only_where_that_is_asked_for(tmp_path: Path, cookies: str, sent: set[str | None]) -> None:
    script = {
        "/alpha/": http("303 See Other", b"", "Location: /simple/alpha/", "Set-Cookie: affinity=task-7; Path=/"),
        "/simple/alpha/": listing(WHEEL_HREF).replace(b"\r\n", b"\r\nSet-Cookie: other=1; Path=/\r\n", 1),
    }

    async def run() -> None:
        async with scripted_index(script) as index:
            await send(index.url, tmp_path, with_options(WORKLOADS["burst"], clients=2), cookies=cookies)
            assert {request.headers.get("cookie") for request in index.requests} == sent

    uvloop.run(run())


def test_an_upload_is_the_form_that_twine_sends(tmp_path: Path) -> None:
    # Larger than what sockets buffer, so that sending it has to wait for the reader.
    wheel = make_wheel(tmp_path, "new-package", "1.0", padding=np.random.default_rng(1).bytes(8_000_000))

    async def run() -> None:
        async with scripted_index() as index:
            workload = with_options(WORKLOADS["uploads"], clients=1)
            assert rows(await send(index.url, tmp_path, workload, uploads=(wheel,))) == [("upload", 200, "NONE")]
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
def test_links_may_be_relative_escaped_and_of_any_digest(tmp_path: Path, href: str) -> None:
    assert uvloop.run(install({"/simple/alpha/": listing(href)}, tmp_path)) == [REDIRECTED, LISTED, DOWNLOADED]


def test_an_absolute_link_to_the_index_itself_is_followed(tmp_path: Path) -> None:
    def page(request: Request) -> bytes:
        return listing(f"http://{request.headers['host']}{WHEEL_HREF}")

    assert uvloop.run(install({"/simple/alpha/": page}, tmp_path)) == [REDIRECTED, LISTED, DOWNLOADED]


def test_a_listing_that_moved_is_followed_and_the_move_counted_as_a_redirect(tmp_path: Path) -> None:
    script = {
        "/simple/alpha/": http("301 Moved Permanently", b"", "Location: ../beta/?from=alpha"),
        "/simple/beta/?from=alpha": listing(WHEEL_HREF),
    }
    assert uvloop.run(install(script, tmp_path)) == [REDIRECTED, ("redirect", 301, "NONE"), LISTED, DOWNLOADED]


def test_an_index_that_answers_by_name_at_once_needs_no_redirect(tmp_path: Path) -> None:
    assert uvloop.run(install({"/alpha/": listing(WHEEL_HREF)}, tmp_path)) == [LISTED, DOWNLOADED]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"5\r\nhello\r\n0\r\n\r\n", b"Transfer-Encoding: chunked\r\n"),
        (b"hello", b"Content-Length: 5\r\n"),
    ],
)
def test_bodies_may_be_chunked(tmp_path: Path, body: bytes, headers: bytes) -> None:
    digest = hashlib.sha256(b"hello").hexdigest()
    script = {
        "/simple/alpha/": listing(f"{WHEEL_PATH}#sha256={digest}"),
        WHEEL_PATH: b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n" + body,
    }
    assert uvloop.run(install(script, tmp_path)) == [REDIRECTED, LISTED, DOWNLOADED]


def test_a_body_may_end_with_the_connection(tmp_path: Path) -> None:
    script = {WHEEL_PATH: Reply(b"HTTP/1.1 200 OK\r\n\r\n" + WHEEL, then="hang up")}
    assert uvloop.run(install(script, tmp_path)) == [REDIRECTED, LISTED, DOWNLOADED]


def test_an_interim_answer_is_not_the_answer(tmp_path: Path) -> None:
    script = {"/simple/alpha/": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + listing(WHEEL_HREF)}
    assert uvloop.run(install(script, tmp_path)) == [REDIRECTED, LISTED, DOWNLOADED]
