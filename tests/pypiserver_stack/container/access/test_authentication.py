"""What a request with and without the right credentials is answered, in each of the three ways."""

from __future__ import annotations

import json
import re
import socket
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pypiserver_stack.container.access.authentication import Authenticator, authenticator_from_environment
from pypiserver_stack.container.access.credentials import VARIABLES, RetryLaterError
from pypiserver_stack.container.access.roles import Role
from tests.pypiserver_stack.container.access.htpasswd_files import authorization, users_file
from tests.pypiserver_stack.container.running_task import RunningTask, await_condition, start_task

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # passlib imports `crypt`, which Python 3.13 no longer has
    import pypiserver_stack.container.access.htpasswd  # noqa: F401  # else the first authenticator that needs it would import it, and warn

SECRETS = {
    "PYPISERVER_CREDENTIALS": json.dumps({"username": "alice", "accepted_passwords": ["older", "right"]}),
    "PYPISERVER_READ_CREDENTIALS": json.dumps({"username": "reader", "accepted_passwords": ["reads"]}),
    "PYPISERVER_UPLOAD_CREDENTIALS": json.dumps({"username": "uploader", "accepted_passwords": ["uploads"]}),
}

# Authentication alone behind the task's own gunicorn configuration.
APPLICATION = """
import os

from pypiserver_stack.container.access.authentication import authenticator_from_environment

authenticate = authenticator_from_environment(os.environ)

def application(environ, start_response):
    answer = authenticate(environ)
    if answer is None:
        name = environ["REMOTE_USER"].encode()
        start_response("200 OK", [("Content-Length", str(len(name)))])
        return [name]
    start_response(answer.status, answer.headers)
    return answer.body
"""


def request(username: str, password: str) -> dict[str, Any]:
    return {"HTTP_AUTHORIZATION": authorization(username, password), "REMOTE_ADDR": "192.0.2.1"}


@pytest.fixture(params=["sha256", "htpasswd", "bcrypt"])
def authenticator(request: pytest.FixtureRequest, tmp_path: Path) -> Authenticator:
    path = users_file(tmp_path / "users", alice="right")
    environment = {"PYPISERVER_AUTHENTICATION": request.param, "PYPISERVER_HTPASSWD": str(path)}
    if request.param == "sha256":
        environment |= SECRETS
    return authenticator_from_environment(environment)


class TestAnswers:
    def test_the_right_password_lets_in_under_its_name(self, authenticator: Authenticator) -> None:
        for _ in range(2):
            environ = request("alice", "right")
            assert authenticator(environ) is None
            assert (environ["REMOTE_USER"], environ["pypiserver.role"]) == ("alice", Role.ADMIN)

    @pytest.mark.parametrize(
        "header",
        [
            None,
            "",
            authorization("alice", "wrong"),
            authorization("nobody", "right"),
            authorization("alice", ""),
            authorization("alice", "nul\0"),
            authorization("alice\n", "right"),
            authorization("a" * 300, "right"),
            "Basic ????",
            "Bearer right",
        ],
    )
    def test_missing_and_wrong_ones_are_asked_for(self, authenticator: Authenticator, header: str | None) -> None:
        environ: dict[str, Any] = {"REMOTE_ADDR": "192.0.2.1"}
        if header is not None:
            environ["HTTP_AUTHORIZATION"] = header
        answer = authenticator(environ)
        assert answer is not None
        assert answer.status == "401 Unauthorized"
        headers = dict(answer.headers)
        assert headers["WWW-Authenticate"] == 'Basic realm="pypi"'
        assert headers["Content-Length"] == str(len(b"".join(answer.body)))
        assert environ.keys().isdisjoint({"REMOTE_USER", "pypiserver.role"})

    def test_an_answer_belongs_to_its_request(self, authenticator: Authenticator) -> None:
        first = authenticator({})
        assert first is not None
        first.headers.append(("X-Served-By", "task-7"))
        second = authenticator({})
        assert second is not None
        assert ("X-Served-By", "task-7") not in second.headers

    @pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
    def test_not_now(self, status: str) -> None:
        def check(*_: object) -> Role:
            raise RetryLaterError(status, "not now", 17)

        authenticator = Authenticator(check)
        answer = authenticator(request("alice", "right"))
        assert answer is not None
        assert answer.status == status
        assert dict(answer.headers)["Retry-After"] == "17"


class TestEnvironment:
    @pytest.mark.parametrize("way", ["sha256", "htpasswd", "bcrypt"])
    def test_the_secrets_are_removed_whichever_way_is_chosen(self, way: str, tmp_path: Path) -> None:
        environment = {
            "PYPISERVER_AUTHENTICATION": way,
            "PYPISERVER_HTPASSWD": str(tmp_path / "users"),
            **SECRETS,
        }
        authenticator_from_environment(environment)
        assert environment.keys().isdisjoint(VARIABLES)

    @pytest.mark.parametrize(
        ("environment", "sentence"),
        [
            ({}, "PYPISERVER_AUTHENTICATION is None; it takes sha256, htpasswd or bcrypt"),
            ({"PYPISERVER_AUTHENTICATION": "md5"}, "PYPISERVER_AUTHENTICATION is 'md5'; it takes"),
            ({"PYPISERVER_AUTHENTICATION": "sha256"}, "PYPISERVER_READ_CREDENTIALS must be JSON"),
            ({"PYPISERVER_AUTHENTICATION": "htpasswd"}, "PYPISERVER_HTPASSWD must be the path"),
            ({"PYPISERVER_AUTHENTICATION": "bcrypt", "PYPISERVER_HTPASSWD": ""}, "PYPISERVER_HTPASSWD must be"),
        ],
    )
    def test_mistakes_are_named(self, environment: dict[str, str], sentence: str) -> None:
        with pytest.raises(ValueError, match=re.escape(sentence)):
            authenticator_from_environment(environment)


def authenticator_of_users(path: Path, roles: str) -> Authenticator:
    environment = {"PYPISERVER_HTPASSWD": str(path), "PYPISERVER_HTPASSWD_ROLES": roles}
    return authenticator_from_environment({"PYPISERVER_AUTHENTICATION": "htpasswd", **environment})


class TestRolesOfUsers:
    @pytest.mark.parametrize(
        ("roles", "expected"),
        [
            ({}, {"alice": Role.ADMIN, "ci": Role.ADMIN, "Alice": Role.ADMIN}),
            (
                {"alice": "admin", "ci": "upload", "gone": "admin"},
                {"alice": Role.ADMIN, "ci": Role.UPLOAD, "Alice": Role.READ},
            ),
        ],
    )
    def test_a_user_that_is_not_named_may_only_read_once_any_is(
        self, tmp_path: Path, roles: dict[str, str], expected: dict[str, Role]
    ) -> None:
        path = users_file(tmp_path / "users", alice="right", ci="right", Alice="right")
        authenticator = authenticator_of_users(path, json.dumps(roles))
        for name, role in expected.items():
            for _ in range(2):  # by its hash, and remembered
                environ = request(name, "right")
                assert authenticator(environ) is None
                assert environ["pypiserver.role"] is role

    @pytest.mark.parametrize("roles", ["", "[]", "7", "{", '{"alice": "owner"}', '{"alice": 3}'])
    def test_a_mistake_is_named(self, tmp_path: Path, roles: str) -> None:
        with pytest.raises(ValueError, match=f"^PYPISERVER_HTPASSWD_ROLES is {re.escape(repr(roles))}; it takes JSON"):
            authenticator_of_users(tmp_path / "users", roles)


def test_the_plain_way_neither_limits_nor_remembers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = users_file(tmp_path / "users", alice="right")
    authenticator = authenticator_from_environment(
        {"PYPISERVER_AUTHENTICATION": "bcrypt", "PYPISERVER_HTPASSWD": str(path)}
    )
    hashed: list[str] = []

    def matches(password: str, stored: str) -> bool:
        hashed.append(password)
        return password == "right"

    monkeypatch.setattr("pypiserver_stack.container.access.users_file.matches", matches)
    for _ in range(30):
        assert authenticator(request("alice", "right")) is None
        answer = authenticator(request("alice", "wrong"))
        assert answer is not None
        assert answer.status == "401 Unauthorized"
    assert hashed == ["right", "wrong"] * 30


@pytest.fixture
def task(tmp_path: Path) -> Iterator[RunningTask]:
    users = users_file(tmp_path / ".htpasswd", rounds=10, alice="right", bob="right too")
    folder = tmp_path / "task"
    folder.mkdir()
    (folder / "alone.py").write_text(APPLICATION)
    with start_task(
        folder,
        packages=tmp_path / "packages",
        app="alone:application",
        PYPISERVER_AUTHENTICATION="htpasswd",
        PYPISERVER_HTPASSWD=str(users),
    ) as task:
        yield task


def status_of(task: RunningTask, username: str, password: str, client: str) -> int:
    headers = {"Authorization": authorization(username, password), "X-Forwarded-For": f"203.0.113.99, {client}"}
    return task.request("GET", "/", headers=headers)[0]


def test_510_clients_behind_one_address_are_let_in_the_moment_the_task_starts(task: RunningTask) -> None:
    asked = (
        f"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.1\r\n"
        f"Authorization: {authorization('alice', 'right')}\r\n\r\n"
    ).encode()
    connections = [task.connect() for _ in range(510)]
    for connection in connections:
        connection.sendall(asked)
    statuses = [_first_line(connection) for connection in connections]
    assert set(statuses) == {b"HTTP/1.1 200 OK"}
    assert "2 users; ignored lines: none" in task.log()


def test_a_guesser_is_limited_and_nobody_else(task: RunningTask) -> None:
    assert status_of(task, "alice", "right", "192.0.2.1:4711") == 200
    guesses = [status_of(task, "alice", f"guess{number}", "192.0.2.1:4711") for number in range(60)]
    assert guesses[:20] == [401] * 20
    assert set(guesses) == {401, 429}
    assert status_of(task, "alice", "right", "192.0.2.1:4712") == 200
    assert status_of(task, "bob", "right too", "192.0.2.2") == 200
    assert status_of(task, "bob", "wrong", "192.0.2.2") == 401


def test_a_revoked_password_stops_working_while_the_server_runs(task: RunningTask) -> None:
    assert status_of(task, "alice", "right", "192.0.2.1") == 200
    assert status_of(task, "bob", "right too", "192.0.2.1") == 200
    users_file(task.packages.parent / ".htpasswd", alice="changed")
    await_condition(lambda: status_of(task, "alice", "right", "192.0.2.1") != 200)
    assert status_of(task, "alice", "changed", "192.0.2.1") == 200
    assert status_of(task, "bob", "right too", "192.0.2.1") == 401


def _first_line(connection: socket.socket) -> bytes:
    with connection, connection.makefile("rb") as answer:
        return answer.readline().rstrip()
