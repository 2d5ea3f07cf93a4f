"""Publishing to the real pypiserver, and to stand-ins for indexes that misbehave."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import http.server
import os
import re
import socket
import subprocess
import sys
import threading
import tracemalloc
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from bench.common.failures import ExitCode, UnavailableError, UsageError
from bench.index import client, connection
from bench.index.publish import fetch_catalogue, missing_wheels, publish, publish_async
from bench.index.target import Target
from bench.packages.factory import PackageSet, Wheel, build


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Wheel, ...]:
    return build(PackageSet(packages=4, max_bytes=300_000), tmp_path_factory.mktemp("cache"))


@contextlib.contextmanager
def stand_in(
    on_upload: Callable[[http.server.BaseHTTPRequestHandler, bytes], int],
    listing: str = "",
    root: str = "<!DOCTYPE html>",
    status: int = 200,
    listings: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """An index that answers uploads with the status that `on_upload` gives.

    `root` and `listing` are the pages at /simple/ and below, and `status` is theirs. `listings` are the pages of single
    projects, in place of `listing`: others are a 404.
    """

    class UploadHandler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._answer(on_upload(self, self.rfile.read(int(self.headers["Content-Length"]))), b"")

        def do_GET(self) -> None:
            project = self.path.removeprefix("/simple/").rstrip("/")
            if project and listings is not None and project not in listings:
                self._answer(404, b"")
            else:
                self._answer(status, ((listings or {}).get(project, listing) if project else root).encode())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "http://elsewhere.invalid/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class PublishingServer(http.server.ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a client that goes away, as some tests here have it

    with PublishingServer(("127.0.0.1", 0), UploadHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def links(wheels: tuple[Wheel, ...]) -> str:
    return "".join(f'<a href="/f/{wheel.filename}#sha256={wheel.sha256}">{wheel.filename}</a>' for wheel in wheels)


def form_of(handler: http.server.BaseHTTPRequestHandler, body: bytes) -> dict[str, bytes]:
    """The fields of an upload; that of the file with its name."""
    message = BytesParser().parsebytes(f"Content-Type: {handler.headers['Content-Type']}\r\n\r\n".encode() + body)
    form = {}
    for part in message.get_payload():
        assert not isinstance(part, str)
        name = part.get_param("name", header="Content-Disposition")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        form[f"{name} {part.get_filename() or ''}".strip()] = content
    return form


def test_every_wheel_arrives_byte_for_byte(pypi_server: Any, wheels: tuple[Wheel, ...]) -> None:
    progress: list[tuple[int, int]] = []
    publish(
        pypi_server.url,
        pypi_server.username,
        pypi_server.password,
        wheels,
        on_progress=lambda done, total: progress.append((done, total)),
    )
    assert {path.name: path.read_bytes() for path in pypi_server.packages.iterdir()} == {
        wheel.filename: wheel.path.read_bytes() for wheel in wheels
    }
    assert progress == [(done, 12) for done in range(1, 13)]


def test_the_form_is_the_one_that_twine_sends(wheels: tuple[Wheel, ...], tmp_path: Path) -> None:
    forms: list[dict[str, bytes]] = []
    authorizations: list[str] = []

    def record(handler: http.server.BaseHTTPRequestHandler, body: bytes) -> int:
        forms.append(form_of(handler, body))
        authorizations.append(handler.headers["Authorization"])
        return 200

    with stand_in(record, links(wheels)) as url:
        publish(url, "me", "p:ä", wheels[:1])
        subprocess.run(
            [sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar", wheels[0].path],
            env={
                **os.environ,
                "HOME": str(tmp_path),
                "TWINE_REPOSITORY_URL": f"{url}/",
                "TWINE_USERNAME": "me",
                "TWINE_PASSWORD": "secret",
            },
            check=True,
            capture_output=True,
        )
    ours, twines = forms
    assert ours == twines
    assert ours[f"content {wheels[0].filename}"] == wheels[0].path.read_bytes()
    assert authorizations[0] == "Basic " + base64.b64encode("me:p:ä".encode()).decode()


def test_uploads_go_out_several_at_a_time(wheels: tuple[Wheel, ...]) -> None:
    together = threading.Barrier(3, timeout=30)  # opens only once three are waiting
    lock = threading.Lock()
    under_way = most = 0

    def wait_for_the_others(handler: object, body: bytes) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        together.wait()
        with lock:
            under_way -= 1
        return 200

    with stand_in(wait_for_the_others, links(wheels)) as url:
        publish(url, "me", "secret", wheels, concurrency=3)
    assert most == 3


def test_files_are_read_while_they_are_sent(pypi_server: Any, tmp_path: Path) -> None:
    size = 5 * 1024 * 1024
    large = build(PackageSet(packages=1, versions=("1.0.0", "2.0.0"), min_bytes=size, max_bytes=size), tmp_path)
    tracemalloc.start()
    try:
        publish(pypi_server.url, pypi_server.username, pypi_server.password, large)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(list(pypi_server.packages.iterdir())) == 2
    assert peak < size


def test_it_runs_in_a_loop_that_is_already_there_and_can_be_cancelled(wheels: tuple[Wheel, ...]) -> None:
    arrived, release = threading.Event(), threading.Event()

    def hold(handler: object, body: bytes) -> int:
        arrived.set()
        release.wait(30)
        return 200

    async def cancel_amid_uploads(url: str) -> None:
        publishing = asyncio.create_task(publish_async(Target(url, "me", "secret"), wheels))
        await asyncio.to_thread(arrived.wait, 30)
        publishing.cancel()
        await publishing

    with stand_in(hold) as url:
        try:
            with pytest.raises(asyncio.CancelledError):
                asyncio.run(cancel_amid_uploads(url))
        finally:
            release.set()


def test_wrong_credentials_are_one_clear_sentence(pypi_server: Any, tmp_path: Path) -> None:
    size = 5 * 1024 * 1024
    wheels = build(PackageSet(packages=2, min_bytes=size, max_bytes=size), tmp_path)
    with pytest.raises(UnavailableError, match=r"refused the password of 'uploader' \(403") as caught:
        publish(pypi_server.url, pypi_server.username, "not-it", wheels)
    assert caught.value.exit_code == ExitCode.UNAVAILABLE
    assert "not-it" not in str(caught.value)
    assert not list(pypi_server.packages.iterdir())


def test_no_credentials_at_all(pypi_server: Any, wheels: tuple[Wheel, ...]) -> None:
    with pytest.raises(UnavailableError, match=r"refused a client without a name \(401"):
        publish(pypi_server.url, "", "", wheels)


def test_a_file_that_is_already_there(pypi_server: Any, wheels: tuple[Wheel, ...]) -> None:
    publish(pypi_server.url, pypi_server.username, pypi_server.password, wheels[:1])
    with pytest.raises(UnavailableError, match=rf"{re.escape(wheels[0].filename)}, it holds that file already"):
        publish(pypi_server.url, pypi_server.username, pypi_server.password, wheels)


def test_nobody_listens(wheels: tuple[Wheel, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnavailableError, match=f"no connection to the index at http://127.0.0.1:{port}/: .*refused"):
        publish(f"http://127.0.0.1:{port}", "me", "secret", wheels)


def test_a_server_that_does_not_speak_tls_in_time(wheels: tuple[Wheel, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (client, connection):
        monkeypatch.setattr(module, "CONNECT_TIMEOUT_S", 0.05)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(UnavailableError, match=r"no connection to the index at https://.*: none in 0\.05 s$"),
    ):
        publish(f"https://127.0.0.1:{silent.getsockname()[1]}", "me", "secret", wheels)


def test_a_url_that_is_none(wheels: tuple[Wheel, ...]) -> None:
    with pytest.raises(UsageError, match=r"ftp://127\.0\.0\.1"):
        publish("ftp://127.0.0.1/", "me", "secret", wheels)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (503, "answered the upload of .*whl with 503 Service Unavailable"),
        (413, "answered the upload of .*whl with 413"),
        (301, "leads elsewhere, to http://elsewhere.invalid/"),
    ],
)
def test_an_index_that_refuses_gets_no_further_uploads(status: int, said: str, wheels: tuple[Wheel, ...]) -> None:
    uploads = 0

    def refuse(handler: object, body: bytes) -> int:
        nonlocal uploads
        uploads += 1
        return status

    with stand_in(refuse) as url, pytest.raises(UnavailableError, match=said):
        publish(url, "me", "secret", wheels, concurrency=1)
    assert uploads == 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "answered .* with what is not HTTP"), (b"", "broke off .*/simple/")],
)
def test_a_server_that_speaks_something_else(answer: bytes, said: str, wheels: tuple[Wheel, ...]) -> None:
    def answer_all(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):  # raised once the listener is shut down
            while True:
                connection, _ = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer_all, args=[listener])
        thread.start()
        try:
            with pytest.raises(UnavailableError, match=said):
                publish(f"http://127.0.0.1:{listener.getsockname()[1]}", "me", "secret", wheels[:1])
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_wheel_that_is_lost_after_its_upload(pypi_server: Any, wheels: tuple[Wheel, ...]) -> None:
    def lose(done: int, total: int) -> None:
        if done == total:
            (pypi_server.packages / wheels[7].filename).unlink()

    with pytest.raises(UnavailableError, match=rf"took {re.escape(wheels[7].filename)} but does not list it"):
        publish(pypi_server.url, pypi_server.username, pypi_server.password, wheels, on_progress=lose)


def test_a_wheel_that_changed_after_its_upload(pypi_server: Any, wheels: tuple[Wheel, ...]) -> None:
    def spoil(done: int, total: int) -> None:
        if done == total:
            (pypi_server.packages / wheels[7].filename).write_bytes(b"other")

    other = hashlib.sha256(b"other").hexdigest()
    with pytest.raises(UnavailableError, match=f"with SHA-256 {other}, but {wheels[7].sha256} was uploaded"):
        publish(pypi_server.url, pypi_server.username, pypi_server.password, wheels, on_progress=spoil)


@pytest.mark.parametrize("page", ["", "<h1>Welcome to the hotel</h1>", "\x00\xff{]"])
def test_a_page_that_is_no_index_gets_no_uploads(page: str, wheels: tuple[Wheel, ...]) -> None:
    uploads: list[bytes] = []

    def record(handler: object, body: bytes) -> int:
        uploads.append(body)
        return 200

    with (
        stand_in(record, root=page) as url,
        pytest.raises(UnavailableError, match=f"{url}/simple/ is no package index"),
    ):
        publish(url, "me", "secret", wheels)
    assert not uploads


@pytest.mark.parametrize("page", ['<!DOCTYPE html><a href="http://[">x</a>', "<!DOCTYPE html><![x["])
def test_a_listing_that_is_none(page: str, wheels: tuple[Wheel, ...]) -> None:
    said = r"/simple/test-package-00\d/ is no listing"
    with stand_in(lambda handler, body: 200, page) as url, pytest.raises(UnavailableError, match=said):
        publish(url, "me", "secret", wheels)


def test_an_index_that_is_down(wheels: tuple[Wheel, ...]) -> None:
    said = r"answered .*/simple/ with 503 Service Unavailable"
    with stand_in(lambda handler, body: 200, status=503) as url, pytest.raises(UnavailableError, match=said):
        publish(url, "me", "secret", wheels)


def test_what_an_index_lacks(pypi_server: Any, wheels: tuple[Wheel, ...], tmp_path: Path) -> None:
    target = Target(pypi_server.url, pypi_server.username, pypi_server.password)
    assert asyncio.run(missing_wheels(target, wheels)) == wheels
    publish(pypi_server.url, pypi_server.username, pypi_server.password, wheels[:4])
    assert asyncio.run(missing_wheels(target, wheels)) == wheels[4:]
    others = tuple(replace(wheel, sha256="0" * 64) for wheel in wheels[:1])
    assert asyncio.run(missing_wheels(target, others)) == others


def test_the_catalogue_of_an_index(pypi_server: Any, wheels: tuple[Wheel, ...]) -> None:
    publish(pypi_server.url, pypi_server.username, pypi_server.password, wheels)
    catalogue = asyncio.run(
        fetch_catalogue(Target(pypi_server.url, pypi_server.username, pypi_server.password), projects=3)
    )
    assert [(package.name, package.filename, package.sha256) for package in catalogue] == [
        (wheel.name, wheel.filename, wheel.sha256) for wheel in wheels[:9]
    ]
    credentials = base64.b64encode(f"{pypi_server.username}:{pypi_server.password}".encode()).decode()
    request = urllib.request.Request(catalogue[0].url, headers={"Authorization": f"Basic {credentials}"})
    with urllib.request.urlopen(request) as answer:
        assert answer.read() == wheels[0].path.read_bytes()


def test_projects_without_a_wheel_or_a_page_are_left_out_of_a_catalogue() -> None:
    root = "".join(f'<a href="{name}/">{name}</a>' for name in ("gone", "source", "whole"))
    listings = {
        "source": '<a href="../../packages/source-1.0.tar.gz">source-1.0.tar.gz</a>',
        "whole": '<a href="../../packages/whole-1.0-py3-none-any.whl">whole-1.0-py3-none-any.whl</a>',
    }
    with stand_in(lambda handler, body: 200, root=root, listings=listings) as url:
        catalogue = asyncio.run(fetch_catalogue(Target(url), projects=3))
        assert [package.name for package in catalogue] == ["whole"]
        with pytest.raises(UnavailableError, match="no wheel that an installer would take in the first 2 of"):
            asyncio.run(fetch_catalogue(Target(url), projects=2))


def test_the_catalogue_of_an_empty_index(pypi_server: Any) -> None:
    with pytest.raises(UnavailableError, match="is empty"):
        asyncio.run(fetch_catalogue(Target(pypi_server.url, pypi_server.username, pypi_server.password), projects=3))


def test_a_listing_without_digests() -> None:
    page = '<a href="../../f/a-1.0-py3-none-any.whl#md5=00">a</a>'
    with stand_in(lambda handler, body: 200, page, root='<a href="a/">a</a>') as url:
        (package,) = asyncio.run(fetch_catalogue(Target(url), projects=5))
    assert package.filename == "a-1.0-py3-none-any.whl"
    assert package.url == f"{url}/f/a-1.0-py3-none-any.whl"
    assert package.sha256 is None
