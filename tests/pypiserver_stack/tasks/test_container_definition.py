"""The task, started as its definition says, by the real gunicorn and pypiserver."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from pypiserver_stack.settings import Settings, read_settings
from pypiserver_stack.tasks.container_definition import PORT, container
from sizing.capacity import plan
from sizing.instances import find
from tests.dead_proxy import DEAD_PROXY
from tests.pypiserver_stack.container.running_task import PASSWORD, USERNAME, injected_credentials


def container_definition(settings: Settings) -> dict[str, Any]:
    planned = plan(settings, find(settings.instance_type))
    path = settings.health_check_path
    return container(settings, planned, htpasswd="", health_check_path=path, shared_cache=False).definition


@dataclass(frozen=True)
class ServerProcess:
    port: int
    packages: Path

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, password: str = PASSWORD
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        credentials = base64.b64encode(f"{USERNAME}:{password}".encode()).decode()
        connection.request(method, path, body, {"Authorization": f"Basic {credentials}", **(headers or {})})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    packages = tmp_path / "packages"
    packages.mkdir()
    port_file = tmp_path / "log"
    settings = read_settings({"allow_http": "true", "gunicorn_workers": "1", "gunicorn_keepalive_s": "5"})
    definition = container_definition(settings)
    environment = {
        **{entry["name"]: entry["value"] for entry in definition["environment"]},
        "PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.defpath}",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "HOSTNAME": "container-7",
        "PYPISERVER_PACKAGES": str(packages),
        **injected_credentials(),
    }
    words = [*definition["entryPoint"], *definition["command"]]
    words[words.index(f"0.0.0.0:{PORT}")] = "127.0.0.1:0"
    with port_file.open("wb") as log:
        process = subprocess.Popen([sys.executable, *words[1:]], env=environment, stderr=log, stdout=log)
    try:
        yield ServerProcess(_port(process, port_file), packages)
    finally:
        process.terminate()
        process.wait(30)


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if "Listening at: " in line:
                return int(line.split("Listening at: http://127.0.0.1:")[1].split()[0])
        time.sleep(0.02)
    raise AssertionError(log.read_text())


def _wheel(name: str, payload: bytes) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(f"{name}/data.bin", payload)
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    return content.getvalue()


@pytest.mark.parametrize(("path", "status"), [("/health", 0), ("/no-such-health", 1)])
def test_the_health_check_asks_the_server_whatever_proxy_there_is(
    server: ServerProcess, path: str, status: int
) -> None:
    settings = read_settings({"allow_http": "true"})
    check = container_definition(settings)["healthCheck"]
    _, executable, *words = check["command"]
    words[-1] = words[-1].replace(f":{PORT}/health", f":{server.port}{path}")
    assert executable == "python"
    done = subprocess.run([sys.executable, *words], env=DEAD_PROXY, stderr=subprocess.PIPE)
    assert done.returncode == status, done.stderr


BOUNDARY = "b0undary"


def _form(filename: str, content: bytes) -> bytes:
    return (
        (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name=":action"\r\n\r\nfile_upload\r\n'
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        + content
        + f"\r\n--{BOUNDARY}--\r\n".encode()
    )


def test_300_interleaved_uploads_arrive_byte_for_byte(server: ServerProcess) -> None:
    wheels = {f"package_{i}-1.0-py3-none-any.whl": _wheel(f"package_{i}", os.urandom(20_000 + i)) for i in range(300)}
    uploads = []
    for name, content in wheels.items():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        body = _form(name, content)
        connection.putrequest("POST", "/")
        connection.putheader("Authorization", "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode())
        connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        connection.send(body[: len(body) // 2])
        uploads.append((connection, body))
    # One worker accepts in order: once this is answered, all 300 are being read and none is complete.
    assert server.request("GET", "/health")[0] == 200
    for connection, body in reversed(uploads):
        connection.send(body[len(body) // 2 :])
    statuses = {connection.getresponse().status for connection, _ in uploads}
    for connection, _ in uploads:
        connection.close()
    stored = {path.name: hashlib.sha256(path.read_bytes()).digest() for path in server.packages.rglob("*.whl")}
    assert statuses == {200}
    assert stored == {name: hashlib.sha256(content).digest() for name, content in wheels.items()}


def test_every_answer_that_takes_credentials_names_the_container(server: ServerProcess) -> None:
    for path in ("/simple/", "/simple/nothing/", "/packages/nothing-1.0.zip"):
        assert server.request("GET", path)[1]["x-served-by"] == "container-7"


def test_an_accepted_password_opens_what_any_other_does_not(server: ServerProcess) -> None:
    assert server.request("GET", "/simple/")[0] == 200
    assert server.request("GET", "/simple/", password="an older one")[0] == 200
    assert server.request("GET", "/simple/", password="guess")[0] in (401, 403)
    assert server.request("GET", "/simple/", headers={"Authorization": "Basic"})[0] in (401, 403)
    assert server.request("GET", "/health", headers={"Authorization": ""})[0] == 200


def test_what_is_missing_is_not_looked_for_elsewhere(server: ServerProcess) -> None:
    status, headers, _ = server.request("GET", "/simple/not-here/")
    assert (status, "location" in headers) == (404, False)
