"""What each role may do at a running task, however a request spells what it asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3 import encode_multipart_formdata

from tests.pypiserver_stack.container.package_content import package_content
from tests.pypiserver_stack.container.running_task import AUTHORIZATION, READER, UPLOADER, RunningTask, start_task

NAME = "demo-1.0.zip"
URLENCODED = "application/x-www-form-urlencoded"
Fields = list[tuple[str, str]]
REMOVAL: Fields = [(":action", "remove_pkg"), ("name", "demo"), ("version", "1.0")]
Sent = tuple[str, str, bytes]
"""Path, Content-Type and body of a `POST`."""


@pytest.fixture(scope="module", params=["validated", "simple-dir"])
def task(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    folder = tmp_path_factory.mktemp("task")
    with start_task(folder, packages=folder / "packages", PYPISERVER_BACKEND=request.param) as task:
        yield task


def post(task: RunningTask, user: str, sent: Sent, *more: str) -> tuple[int, str]:
    """Status and body of the answer to a request that is sent as it is."""
    path, content_type, body = sent
    headers = [
        *(f"POST {path} HTTP/1.1", "Host: index", f"Authorization: {user}", *more),
        *([f"Content-Type: {content_type}"] if content_type else []),
        *([] if more else [f"Content-Length: {len(body)}"]),
    ]
    with task.connect() as connection:
        connection.sendall("\r\n".join([*headers, "", ""]).encode() + body)
        with connection.makefile("rb") as answer:
            head, _, text = answer.read().partition(b"\r\n\r\n")
    return int(head.split()[1]), text.decode()


def parts(*fields: tuple[str, str | tuple[str, bytes]], content_type: str | None = None) -> Sent:
    body, usual = encode_multipart_formdata(list(fields))
    return "/", usual if content_type is None else usual.replace("multipart/form-data", content_type), body


def upload(name: str) -> Sent:
    return parts((":action", "file_upload"), ("content", (name, package_content(name))))


def with_package(task: RunningTask) -> dict[str, bytes]:
    """`contents` with the package that is to be removed."""
    (task.packages / NAME).write_bytes(b"any")
    return contents(task)


def contents(task: RunningTask) -> dict[str, bytes]:
    """Every file in the directory of the packages."""
    return {str(path): path.read_bytes() for path in task.packages.rglob("*") if path.is_file()}


def in_chunks(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def urlencoded(*fields: tuple[str, str], content_type: str = URLENCODED, path: str = "/") -> Sent:
    return path, content_type, urlencode(fields).encode()


def removal_as(content_type: str, path: str = "/") -> Sent:
    return urlencoded(*REMOVAL, content_type=content_type, path=path)


SPELLINGS: dict[str, Sent] = {
    "urlencoded": removal_as(URLENCODED),
    "urlencoded, as another type": removal_as("text/plain"),
    "urlencoded, as JSON": removal_as("application/json"),
    "urlencoded, without a type": removal_as(""),
    "urlencoded, as the beginning of another type": removal_as(f"{URLENCODED}-too; charset=utf-7"),
    "an upload's action before it": urlencoded((":action", "file_upload"), *REMOVAL),
    "an upload's action behind it": urlencoded(*REMOVAL, (":action", "file_upload")),
    "every letter encoded": ("/", URLENCODED, b"%3A%61ction=%72emove%5Fpkg&n%61me=demo&version=1%2E0"),
    "with semicolons": ("/", URLENCODED, b":action=file_upload;:action=remove_pkg&name=demo&version=1.0"),
    "in the query": (f"/?{urlencode(REMOVAL)}", URLENCODED, b""),
    "in the query behind an upload": (f"/?{urlencode(REMOVAL)}", *upload("new-1.0.zip")[1:]),
    "at a URL without a path": removal_as(URLENCODED, "http://index"),
    "at a path that is only a query": removal_as(URLENCODED, "?any"),
    "at a path with a fragment": removal_as(URLENCODED, "/#any"),
    "at a path with two slashes": removal_as(URLENCODED, "//"),
    "at the search": removal_as(URLENCODED, "/RPC2"),
    "parts": parts(*REMOVAL),
    "parts, as another type": parts(*REMOVAL, content_type="multipart/mixed"),
    "parts, as a type in capitals": parts(*REMOVAL, content_type="Multipart/FORM-DATA"),
    "parts, an upload's action first": parts((":action", "file_upload"), *REMOVAL),
    "parts, an upload's action last": parts(*REMOVAL, (":action", "file_upload")),
    "parts, with a package": parts(*REMOVAL, ("content", ("new-1.0.zip", package_content("new-1.0.zip")))),
    "parts, the action as a file": parts((":action", ("any", b"remove_pkg")), *REMOVAL[1:]),
    "parts, the action as a file too": parts((":action", "file_upload"), (":action", ("any", b"remove_pkg")), *REMOVAL),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_only_an_administrator_removes(task: RunningTask, spelling: str) -> None:
    before = with_package(task)
    for user in (READER, UPLOADER):
        status, answer = post(task, user, SPELLINGS[spelling])
        assert before.items() <= contents(task).items()
        chunked = (*SPELLINGS[spelling][:2], in_chunks(SPELLINGS[spelling][2]))
        post(task, user, chunked, "Transfer-Encoding: chunked")
        assert before.items() <= contents(task).items()
    if post(task, AUTHORIZATION, SPELLINGS[spelling])[0] == 200 and not (task.packages / NAME).exists():
        assert (status, "This needs the role admin, and your user has the role upload." in answer) == (403, True)


@pytest.mark.parametrize("action", ["yank", "unyank"])
@pytest.mark.parametrize(
    "encode", [lambda form: ("/", URLENCODED, urlencode(form).encode()), lambda form: parts(*form)]
)
def test_only_an_administrator_yanks(task: RunningTask, action: str, encode: Callable[[Fields], Sent]) -> None:
    form = encode([(":action", action), *REMOVAL[1:], ("reason", "any")])
    (task.packages / f"{NAME}.yanked").write_bytes(b"before")
    before = with_package(task)
    for user, role in ((READER, "read"), (UPLOADER, "upload")):
        status, answer = post(task, user, form)
        assert status == 403
        assert f"and your user has the role {role}." in answer
        assert contents(task) == before


def test_a_reader_reads_and_searches_and_changes_nothing(task: RunningTask) -> None:
    before = with_package(task)
    for path in ("/simple/", "/simple/demo/", "/packages/", f"/packages/{NAME}", "/demo/json"):
        assert task.request("GET", path, headers={"Authorization": READER})[0] == 200
        assert task.request("HEAD", path, headers={"Authorization": READER})[0] == 200
    call = b"<methodCall><methodName>search</methodName><string>demo</string></methodCall>"
    status, answer = post(task, READER, ("/RPC2", "text/xml", call))
    assert (status, "demo" in answer) == (200, True)
    for sent in (upload("new-2.0.zip"), urlencoded((":action", "submit")), urlencoded((":action", "any"))):
        assert post(task, READER, sent) == (
            403,
            "This needs the role upload at least, and your user has the role read.\n",
        )
    assert contents(task) == before


def test_a_reader_is_refused_before_it_sends_its_package(task: RunningTask) -> None:
    head = f"POST / HTTP/1.1\r\nHost: index\r\nAuthorization: {READER}\r\nContent-Length: 100000000\r\n"
    with task.connect() as connection, connection.makefile("rb") as answer:
        connection.sendall(f"{head}Content-Type: multipart/form-data; boundary=b\r\n\r\n".encode())
        assert answer.readline() == b"HTTP/1.1 403 Forbidden\r\n"
        # The connection is of no further use: what follows would be taken for the body, or the body for a request.
        assert b"connection: close\r\n" in [line.lower() for line in answer]


@pytest.mark.parametrize("user", [UPLOADER, AUTHORIZATION])
def test_who_may_upload_uploads_and_reads(task: RunningTask, user: str) -> None:
    name = "up-1.0.zip"
    (task.packages / name).unlink(missing_ok=True)
    assert post(task, user, upload(name))[0] == 200
    status, _, content = task.request("GET", f"/packages/{name}", headers={"Authorization": user})
    assert (status, content) == (200, package_content(name))


@pytest.mark.parametrize("path", ["/", "http://index", "?any"])
def test_an_upload_is_checked_whatever_its_path_is_spelled_like(task: RunningTask, path: str) -> None:
    _, content_type, body = parts((":action", "file_upload"), ("content", ("bad-1.0.zip", b"no archive")))
    assert post(task, UPLOADER, (path, content_type, body))[0] == 400
    assert not (task.packages / "bad-1.0.zip").exists()


NAMES = st.sampled_from([":action", "action", "name", "version", "reason", "content", ":Action", ":action "])
VALUES = st.sampled_from(["remove_pkg", "yank", "unyank", "file_upload", "submit", "demo", "1.0", "", "remove_pkg "])


@given(st.lists(st.tuples(NAMES, VALUES), max_size=6), st.booleans(), st.sampled_from([UPLOADER, READER]))
def test_no_form_of_others_than_administrators_removes_or_yanks(
    task: RunningTask, fields: Fields, in_parts: bool, user: str
) -> None:
    fields = [*fields, *REMOVAL[1:]]
    before = with_package(task)
    status, _ = post(task, user, parts(*fields) if in_parts else urlencoded(*fields))
    assert status in ((403,) if user == READER else (200, 400, 403))
    assert contents(task) == before


def test_users_of_a_file_have_the_roles_of_the_setting(tmp_path: Path) -> None:
    stored = bcrypt.hashpw(b"correct horse", bcrypt.gensalt(4)).decode()
    (tmp_path / "users").write_text(f"reader:{stored}\nuploader:{stored}\npypiserver:{stored}\n")
    roles = json.dumps({"uploader": "upload", "pypiserver": "admin"})
    with start_task(
        tmp_path / "task",
        packages=tmp_path / "packages",
        PYPISERVER_AUTHENTICATION="htpasswd",
        PYPISERVER_HTPASSWD=str(tmp_path / "users"),
        PYPISERVER_HTPASSWD_ROLES=roles,
    ) as task:
        with_package(task)
        assert task.request("GET", "/simple/", headers={"Authorization": READER})[0] == 200
        assert [post(task, user, upload("new-1.0.zip"))[0] for user in (READER, UPLOADER)] == [403, 200]
        removal = SPELLINGS["urlencoded"]
        assert [post(task, user, removal)[0] for user in (READER, UPLOADER, AUTHORIZATION)] == [403, 403, 200]
