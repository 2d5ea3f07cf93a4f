"""One line of JSON for each request, whatever is in it, and nothing that must stay secret."""

from __future__ import annotations

import base64
import fcntl
import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.pypiserver_stack.container.running_task import AUTHORIZATION, PASSWORD, start_task

with warnings.catch_warnings(action="ignore", category=UserWarning):  # gunicorn 20.0.4 imports pkg_resources
    from gunicorn.config import Config

    from pypiserver_stack.container.http.access_log import LINE_BYTES, AccessLogger

TEXT = st.text(st.characters(max_codepoint=255))  # WSGI's strings: bytes as Latin-1


@dataclass
class AccessedRequest:
    uri: str = "/simple/demo/?format=json"
    method: str = "GET"


@dataclass
class SentResponse:
    status: str = "200 OK"
    sent: int = 20_000


@dataclass
class Log:
    """A logger that writes into a pipe, and the pipe's other end."""

    logger: AccessLogger
    reader: int
    environ: dict[str, Any] = field(default_factory=lambda: {"REMOTE_ADDR": "10.0.0.9"})

    def write(self, uri: str = "/", took: timedelta = timedelta(), **environ: Any) -> None:
        self.logger.access(SentResponse(), AccessedRequest(uri), {**self.environ, **environ}, took)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in os.read(self.reader, 1 << 20).splitlines()]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    reader, writer = os.pipe()
    monkeypatch.setenv("HOSTNAME", "task-7")
    with os.fdopen(writer, "w") as stdout, os.fdopen(reader) as pipe:
        monkeypatch.setattr(sys, "stdout", stdout)
        yield Log(AccessLogger(Config()), pipe.fileno())


def test_a_line_says_what_was_asked_and_what_it_took(log: Log) -> None:
    log.write(
        "/simple/demo/?format=json",
        timedelta(milliseconds=12),
        REMOTE_USER="ci",
        HTTP_USER_AGENT="pip/24.0",
        HTTP_X_FORWARDED_FOR="1.2.3.4, 203.0.113.7",
        HTTP_X_AMZN_TRACE_ID="Root=1-67891233-abcdef012345678912345678",
        **{"pypiserver.timing": {"auth_s": 0.0001, "index_s": 0.002, "total_s": 0.003}},
    )
    (line,) = log.lines()
    assert datetime.fromisoformat(line.pop("time")).utcoffset() == timedelta()
    assert line == {
        "method": "GET",
        "path": "/simple/demo/?format=json",
        "status": 200,
        "response_bytes": 20_000,
        "duration_s": 0.012,
        "client": "203.0.113.7",
        "user": "ci",
        "user_agent": "pip/24.0",
        "task": "task-7",
        "trace": "Root=1-67891233-abcdef012345678912345678",
        "auth_s": 0.0001,
        "index_s": 0.002,
        "total_s": 0.003,
    }


def test_what_is_not_known_is_null(log: Log) -> None:
    log.write()
    (line,) = log.lines()
    assert (line["user"], line["user_agent"], line["trace"]) == (None, None, None)
    assert line["client"] == "10.0.0.9"
    assert "auth_s" not in line


@pytest.mark.parametrize(
    "uri",
    [
        "http://ci:s3cret@index/simple/",
        "http://ci:s3@cret@index/simple/",
        "//ci:s3cret@index/simple/",
        "/redirect?to=https://ci:s3cret@index/simple/",
        "http://ci:" + "s3cret" * 300 + "@index/",
    ],
)
def test_a_password_in_a_url_stays_out(log: Log, uri: str) -> None:
    log.write(uri, HTTP_AUTHORIZATION=f"Basic {base64.b64encode(b'ci:s3cret').decode()}")
    line = os.read(log.reader, 1 << 16).decode()
    assert "s3" not in line
    assert "cret" not in line
    assert "Basic" not in line
    assert "index/" in line


@given(TEXT, TEXT, TEXT, TEXT, st.integers(1, 2000))
@example("\r\n", '"}\n{"', "\0", "\x7f\x85\xa0", 2000)
def test_whatever_is_asked_is_one_line_of_json(uri: str, agent: str, forwarded: str, user: str, times: int) -> None:
    reader, writer = os.pipe()
    with pytest.MonkeyPatch.context() as patch, os.fdopen(writer, "w") as stdout, os.fdopen(reader):
        patch.setattr(sys, "stdout", stdout)
        log = Log(AccessLogger(Config()), reader)
        log.write(
            uri * times, HTTP_USER_AGENT=agent * times, HTTP_X_FORWARDED_FOR=forwarded * times, REMOTE_USER=user * times
        )
        written = os.read(reader, 1 << 20)
    assert written.endswith(b"}\n")
    assert len(written) <= LINE_BYTES
    assert json.loads(written)["status"] == 200
    assert all(32 <= byte < 127 for byte in written[:-1])


def test_a_full_pipe_costs_lines_and_says_how_many(log: Log) -> None:
    size = fcntl.fcntl(log.reader, fcntl.F_SETPIPE_SZ, 4096)
    for _ in range(size):
        log.write()
    kept = len(log.lines())
    log.write()
    (line,) = log.lines()
    assert line["lost_lines"] == size - kept
    log.write()
    assert "lost_lines" not in log.lines()[0]


def test_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        log = Log(AccessLogger(Config()), reader)
        os.close(reader)
        log.write()


def test_stdout_was_closed_before_the_start(tmp_path: Path) -> None:
    program = """
import sys
from datetime import timedelta
from pypiserver_stack.container.http.access_log import AccessLogger
from gunicorn.config import Config
logger = AccessLogger(Config())
package = open("package", "w+")  # takes the free descriptor
logger.access(None, None, {}, timedelta())
sys.exit(package.fileno() != 1 or package.seek(0, 2))
"""
    command = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-W", "ignore", "-c", program]
    subprocess.run(command, cwd=tmp_path, check=True, env={"PATH": os.defpath}, timeout=60)


def test_a_line_that_cannot_be_made_is_an_error_in_the_other_log(
    log: Log, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    errors = io.StringIO()
    for handler in log.logger.error_log.handlers:
        monkeypatch.setattr(handler, "stream", errors)
    log.write("/", timedelta(), **{"pypiserver.timing": {"auth_s": object()}})
    assert "no access log line for a request" in errors.getvalue()


def test_the_real_gunicorn_writes_a_line_for_each_request(tmp_path: Path) -> None:
    (tmp_path / "named.py").write_text(
        "def application(environ, start_response):\n"
        "    environ['REMOTE_USER'] = 'ci'\n"
        "    start_response('200 OK', [('Content-Length', '2')])\n"
        "    return [b'ok']\n"
    )
    with start_task(tmp_path, packages=tmp_path / "packages", app="named:application", workers=2) as task:
        for i in range(20):
            task.request("GET", f"/simple/{i}/", headers={"User-Agent": "pip\t\xff"})
        task.stop()
        lines, everything = task.access_log(), task.log()
    assert sorted(line["path"] for line in lines) == sorted(f"/simple/{i}/" for i in range(20))
    assert {(line["status"], line["response_bytes"], line["user"], line["task"]) for line in lines} == {
        (200, 2, "ci", "task-7")
    }
    assert PASSWORD not in everything
    assert AUTHORIZATION.split()[1] not in everything
