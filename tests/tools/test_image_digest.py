"""Digests of images, from a stand-in for a registry: this machine's tests reach no registry of images."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from pypiserver_stack.common.entry_point import UserError
from pypiserver_stack.settings.groups.server import ServerSettings
from tools.image_digest import PINNED, ROOT, digest_of, pin

DIGEST, OTHER = f"sha256:{'0a' * 32}", f"sha256:{'1b' * 32}"
TAGGED = ServerSettings.model_fields["image"].default.partition("@")[0]


@dataclass
class StandIn:
    """A registry that gives a token to anybody, and digests to those with the token."""

    digest: str | None = DIGEST
    needs_token: bool = True
    asked: list[str] = field(default_factory=list)
    host: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        self.asked.append(f"{handler.command} {url.path}")
        if url.path == "/token":
            query = parse_qs(url.query)
            assert query == {"service": ["stand-in"], "scope": ["repository:mirror/pypiserver:pull"]}
            self._send(handler, 200, {}, json.dumps({"token": "anybody"}).encode())
        elif self.needs_token and handler.headers["Authorization"] != "Bearer anybody":
            scope = 'service="stand-in",scope="repository:mirror/pypiserver:pull"'
            challenge = f'Bearer realm="http://{self.host}/token",{scope}'
            self._send(handler, 401, {"WWW-Authenticate": challenge})
        elif url.path != "/v2/mirror/pypiserver/manifests/v1":
            self._send(handler, 404, {})
        else:
            assert "application/vnd.oci.image.index.v1+json" in handler.headers["Accept"]
            self._send(handler, 200, {"docker-content-digest": self.digest} if self.digest else {})

    def _send(self, handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


@pytest.fixture
def registry() -> Iterator[StandIn]:
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that http.server dictates
            stand_in.answer(self)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stand_in.host = f"127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever).start()
        yield stand_in
        server.shutdown()


def test_a_token_is_asked_for_where_one_is_needed(registry: StandIn) -> None:
    assert digest_of(f"{registry.host}/mirror/pypiserver:v1") == DIGEST
    manifest = "HEAD /v2/mirror/pypiserver/manifests/v1"
    assert registry.asked == [manifest, "GET /token", manifest]


def test_a_registry_without_tokens_is_asked_once(registry: StandIn) -> None:
    registry.needs_token = False
    assert digest_of(f"{registry.host}/mirror/pypiserver:v1") == DIGEST
    assert len(registry.asked) == 1


@pytest.mark.parametrize("digest", [None, "sha512:" + "0" * 128, "sha256:0a"])
def test_an_answer_without_a_digest_is_an_error(registry: StandIn, digest: str | None) -> None:
    registry.digest = digest
    with pytest.raises(UserError, match=r"names no digest of .*mirror/pypiserver:v1") as error:
        digest_of(f"{registry.host}/mirror/pypiserver:v1")
    assert error.value.exit_code == 1


def test_an_unknown_tag_is_an_error_with_the_registry_s_answer(registry: StandIn) -> None:
    with pytest.raises(UserError, match=r"does not say the digest of .*:v2: HTTP Error 404"):
        digest_of(f"{registry.host}/mirror/pypiserver:v2")


@pytest.mark.parametrize("image", ["pypiserver/pypiserver", "host.example:5000/pypiserver", f"name:v1@{DIGEST}", ":v1"])
def test_what_has_no_tag_is_refused(image: str) -> None:
    with pytest.raises(UserError, match="is no NAME:TAG"):
        digest_of(image)


def test_the_program_prints_an_image_with_its_digest(registry: StandIn) -> None:
    image = f"{registry.host}/mirror/pypiserver:v1"
    ended = subprocess.run([sys.executable, "-m", "tools.image_digest", image], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, f"{image}@{DIGEST}\n")


def test_the_default_image_is_pinned_where_it_is_set_and_again_when_its_tag_has_moved(tmp_path: Path) -> None:
    for name in PINNED:
        (tmp_path / name).parent.mkdir(parents=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for digest in (DIGEST, OTHER):
        pin(tmp_path, TAGGED, digest)
        server, page = ((tmp_path / name).read_text() for name in PINNED)
        assert f'default="{TAGGED}@{digest}",' in server
        assert f"| {TAGGED}@{digest} | Container image" in page
    assert DIGEST not in server + page
