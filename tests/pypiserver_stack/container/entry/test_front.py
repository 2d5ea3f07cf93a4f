"""What the whole server answers, asked over HTTP: both backends, the real gunicorn and pypiserver behind."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import xmlrpc.client
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urldefrag, urljoin

import pytest

from tests.pypiserver_stack.container.running_task import AUTHORIZATION, RunningTask, start_task

JSON = "application/vnd.pypi.simple.v1+json"
SMALL = "demo-1.0-py3-none-any.whl"
LARGE = "demo-2.0.tar.gz"
ODD = ("odd name-1.0.zip", "caf\u00e9-1.0.zip", "per%cent-1.0.zip", "qu?ery#x-1.0.zip", "a'b\"<c>&-1.0.zip")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    packages = tmp_path_factory.mktemp("packages")
    (packages / SMALL).write_bytes(os.urandom(20_000))
    (packages / LARGE).write_bytes(os.urandom(3_000_000))
    (packages / "sub").mkdir()
    (packages / "sub" / "deep_one-0.1-py3-none-any.whl").write_bytes(b"deep")
    (packages / ".hidden-1.0.zip").write_bytes(b"not listed")
    for name in ODD:
        (packages / name).write_bytes(name.encode())
    return packages


@pytest.fixture(scope="module", params=["simple-dir", "validated"])
def task(
    request: pytest.FixtureRequest, packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningTask]:
    with start_task(tmp_path_factory.mktemp("task"), packages=packages, PYPISERVER_BACKEND=request.param) as task:
        yield task


@pytest.fixture(scope="module")
def validated(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    with start_task(tmp_path_factory.mktemp("validated"), packages=packages, PYPISERVER_BACKEND="validated") as task:
        yield task


def _links(page: bytes) -> dict[str, str]:
    return {text: href for href, text in re.findall(r'<a href="([^"]*)"[^>]*>([^<]*)</a>', page.decode())}


def test_the_welcome_page_counts_no_packages(validated: RunningTask) -> None:
    """Anybody may ask for it, and a count costs a look at everything."""
    status, _, page = validated.request("GET", "/", headers={"Authorization": ""})
    assert (status, b"pip install" in page, b"serving" in page) == (200, True, False)


def test_a_listing_names_files_and_digests(task: RunningTask) -> None:
    status, _, page = task.request("GET", "/simple/demo/")
    assert status == 200
    links = {name: href.replace("../../", "/") for name, href in _links(page).items()}
    assert links == {
        name: f"/packages/{name}#sha256={hashlib.sha256((task.packages / name).read_bytes()).hexdigest()}"
        for name in (SMALL, LARGE)
    }


def test_files_arrive_byte_for_byte(task: RunningTask) -> None:
    for name in (SMALL, LARGE, "sub/deep_one-0.1-py3-none-any.whl"):
        status, headers, content = task.request("GET", f"/packages/{name}")
        assert (status, content) == (200, (task.packages / name).read_bytes())
        assert int(headers["content-length"]) == len(content)


def test_the_index_page_names_every_project(task: RunningTask) -> None:
    names = set(_links(task.request("GET", "/simple/")[2]))
    assert {"demo", "deep-one"} <= names
    assert not any("hidden" in name for name in names)


@pytest.mark.parametrize("name", ODD)
def test_odd_names_can_be_downloaded(task: RunningTask, name: str) -> None:
    status, _, content = task.request("GET", f"/packages/{quote(name)}")
    assert (status, content) == (200, name.encode())


# A file of the task below, beside its packages.
OURS = "validated0/pypiserver_stack/container/entry/wsgi.py"


@pytest.mark.parametrize(
    "path",
    [
        f"/packages/../{OURS}",
        f"/packages/..%2f{OURS}",
        f"/packages/%2e%2e/{OURS}",
        "/packages/%2e%2e%2f%2e%2e%2fetc/passwd",
        "/packages//etc/passwd",
        f"/packages/sub/../../{OURS}",
        "/packages/.hidden-1.0.zip",
        "/packages/.digests/demo",
        "/packages/.incoming/x",
        "/packages/sub",
        "/packages/sub/",
        "/packages/%ff%fe",
        "/packages/%00",
        f"/packages/{SMALL}%00",
        f"/packages/{SMALL}/",
        "/packages/" + "a" * 4000,
        "/simple/../packages/x/",
        "/simple/..%2f..%2fetc%2fpasswd/",
        "/simple/%2e%2e/",
    ],
)
def test_nothing_is_served_that_is_not_listed(task: RunningTask, path: str) -> None:
    status, _, content = task.request("GET", path)
    assert status in (301, 303, 400, 404)
    assert b"root:" not in content
    assert b"import" not in content


def test_what_is_missing_is_not_looked_for_elsewhere(task: RunningTask) -> None:
    for path in ("/simple/not-here/", "/packages/not-here-1.0.zip", "/not-here/json"):
        status, headers, _ = task.request("GET", path)
        assert (status, "location" in headers) == (404, False)


def test_a_name_leads_to_its_listing(task: RunningTask) -> None:
    assert task.request("GET", "/demo/", headers={"Authorization": ""})[1]["location"].endswith("/simple/demo/")
    assert task.request("GET", "/Deep_One", headers={"Authorization": ""})[0] in (301, 302, 303)
    status, headers, _ = task.request("GET", "/simple/Deep_One/")
    assert status == 301
    assert headers["location"].endswith("/simple/deep-one/")


def test_head_has_the_headers_and_no_body(task: RunningTask) -> None:
    for path in ("/simple/", "/simple/demo/", f"/packages/{SMALL}", f"/packages/{LARGE}", "/health", "/demo/"):
        status, headers, content = task.request("HEAD", path)
        got = task.request("GET", path)
        assert (status, content) == (got[0], b"")
        assert headers.get("content-length", got[1].get("content-length")) == got[1].get("content-length")


@pytest.mark.parametrize("path", ["/simple/", "/simple/demo/", f"/packages/{SMALL}", "/packages/", "/demo/json"])
@pytest.mark.parametrize("authorization", ["", "Basic", "Basic Z3Vlc3M6Z3Vlc3M=", "Bearer x"])
def test_nothing_without_credentials(task: RunningTask, path: str, authorization: str) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        status, headers, _ = task.request(method, path, headers={"Authorization": authorization})
        assert status == 401
        assert headers["www-authenticate"].startswith("Basic realm=")
        assert "server-timing" not in headers


def test_anybody_may_see_that_it_is_well(task: RunningTask) -> None:
    assert task.request("GET", "/health", headers={"Authorization": ""})[0] == 200
    assert task.request("GET", "/", headers={"Authorization": ""})[0] == 200
    for path in ("/", "/RPC2", "/demo/"):
        assert task.request("POST", path, headers={"Authorization": ""})[0] == 401


@pytest.mark.parametrize("path", ["/RPC2", "/", "/demo/", "/simple/demo/"])
@pytest.mark.parametrize("framing", [f"Content-Length: {15 * 2**20}", "Transfer-Encoding: chunked"])
def test_pypiserver_gets_no_large_body_and_nobody_waits_for_it(task: RunningTask, path: str, framing: str) -> None:
    """What it would parse: each of these bodies, whole, without letting another request run."""
    with task.connect() as connection:
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n{framing}\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nConnection: close\r\n" in answer


def test_pypiserver_gets_a_body_of_what_a_client_of_it_sends(task: RunningTask) -> None:
    call = xmlrpc.client.dumps(({"name": ["deep"], "padding": "x" * 60_000}, "or"), "search")
    status, _, found = task.request("POST", "/RPC2", call.encode())
    assert status == 200
    assert b"deep_one" in found.replace(b"-", b"_")


@pytest.mark.parametrize("path", ["/", "/RPC2"])
@pytest.mark.parametrize(
    "browser", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]
)
def test_a_form_on_a_page_of_another_site_changes_nothing(
    task: RunningTask, path: str, browser: dict[str, str]
) -> None:
    """The browser adds the credentials. It is answered before the body comes, and the connection ends."""
    (task.packages / "kept-1.0.zip").touch()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{task.port}\r\nAuthorization: {AUTHORIZATION}\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in browser.items())
    with task.connect() as connection:
        connection.sendall(f"{head}\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert (task.packages / "kept-1.0.zip").exists()


def test_a_form_on_a_page_of_the_index_itself_is_taken(task: RunningTask) -> None:
    (task.packages / "mine-1.0.zip").touch()
    form = b":action=remove_pkg&name=mine&version=1.0"
    browser = {"Sec-Fetch-Site": "same-origin", "Origin": task.url, "Content-Type": "application/x-www-form-urlencoded"}
    assert task.request("POST", "/", form, browser)[0] == 200
    assert not (task.packages / "mine-1.0.zip").exists()


@pytest.mark.parametrize(
    "path", ["/", "/health", "/demo/", "/simple/", "/simple", "/packages/", f"/packages/{SMALL}", "/nothing/at/all"]
)
@pytest.mark.parametrize("authorization", [AUTHORIZATION, ""])
def test_no_answer_tells_a_version_or_lets_a_browser_guess(task: RunningTask, path: str, authorization: str) -> None:
    headers = task.request("GET", path, headers={"Authorization": authorization})[1]
    assert headers["server"] == "pypiserver"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/simple", "/demo", "/packages", "/simple/Demo/"])
def test_no_redirect_leads_where_a_client_says_that_it_came_from(task: RunningTask, path: str) -> None:
    status, headers, _ = task.request("GET", path, headers={"X-Forwarded-Host": "evil.example"})
    assert status in (301, 303)
    assert "evil" not in headers["location"]


def test_the_page_of_all_files_leads_to_each(task: RunningTask) -> None:
    links = _links(task.request("GET", "/packages/")[2])
    assert {SMALL, LARGE, "sub/deep_one-0.1-py3-none-any.whl"} <= set(links)
    for name in (SMALL, "sub/deep_one-0.1-py3-none-any.whl"):
        url = urldefrag(urljoin(f"{task.url}/packages/", links[name])).url
        assert task.request("GET", url.removeprefix(task.url))[2] == (task.packages / name).read_bytes()


@pytest.mark.parametrize(
    "call",
    [
        b"",
        b"noise",
        b"<methodCall/>",
        b"<methodCall><methodName/></methodCall>",
        b"<methodCall><methodName>search</methodName></methodCall>",
        b"<methodCall><methodName>search</methodName><params><param><string/></param></params></methodCall>",
        b"<methodCall><methodName>other</methodName><string>demo</string></methodCall>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><methodCall><methodName>search</methodName><string>&b;</string></methodCall>',
        b"\xff\xfe<",
    ],
)
def test_a_call_that_is_no_search_is_refused_without_a_traceback(task: RunningTask, call: bytes) -> None:
    assert task.request("POST", "/RPC2", call)[0] == 400
    assert "Traceback" not in task.log()


def test_every_answer_that_takes_credentials_says_who_served_it_and_what_it_took(task: RunningTask) -> None:
    for path in (
        "/simple/",
        "/simple/demo/",
        "/simple/nothing/",
        f"/packages/{SMALL}",
        "/packages/",
    ):
        headers = task.request("GET", path)[1]
        assert headers["x-served-by"] == "task-7"
        assert re.search(r"total;dur=[0-9.]+$", headers["server-timing"])
    timing = task.request("GET", f"/packages/{SMALL}")[1]["server-timing"]
    assert timing.startswith("auth;dur=")


@pytest.mark.parametrize("path", ["/", "/health", "/demo/", "/simple/", "/packages/", "/RPC2"])
@pytest.mark.parametrize("way", ["plain", "gunicorn's own"])
def test_a_public_answer_says_nothing_of_who_served_it(task: RunningTask, path: str, way: str) -> None:
    more = {"Remote-User": "pypiserver"} | ({} if way == "plain" else {"Content-Length": "0"})
    answers = [task.request("GET", path, headers={"Authorization": "", **more})]
    if path in ("/health", "/demo/"):
        answers.append(task.request("GET", path, headers=more))  # nothing has looked at its credentials
    for status, headers, _ in answers:
        assert status in (200, 303, 401)
        assert "x-served-by" not in headers
        assert headers["server"] == "pypiserver"


def test_the_access_log_has_the_same_fields(task: RunningTask) -> None:
    task.request("GET", "/simple/demo/?asked=once")
    task.request("GET", "/health")  # the one worker has written the line before it takes the next connection
    line = next(line for line in reversed(task.access_log()) if line["path"] == "/simple/demo/?asked=once")
    assert (line["status"], line["method"], line["user"], line["task"]) == (200, "GET", "pypiserver", "task-7")
    assert 0 < line["auth_s"] < line["total_s"]
    assert "correct horse" not in task.log()


def test_json_says_the_same_as_html(validated: RunningTask) -> None:
    status, headers, body = validated.request("GET", "/simple/demo/", headers={"Accept": JSON})
    page = json.loads(body)
    html = _links(validated.request("GET", "/simple/demo/")[2])
    assert (status, headers["content-type"], page["name"]) == (200, JSON, "demo")
    assert headers["vary"] == "Accept, Accept-Encoding"
    assert {f["filename"]: f["hashes"]["sha256"] for f in page["files"]} == {
        name: href.partition("#sha256=")[2] for name, href in html.items()
    }
    names = json.loads(validated.request("GET", "/simple/", headers={"Accept": JSON})[2])["projects"]
    assert {"demo", "deep-one"} <= {project["name"] for project in names}


@pytest.mark.parametrize("path", ["/simple/", "/simple/demo/", f"/packages/{SMALL}", f"/packages/{LARGE}"])
def test_a_client_that_has_it_gets_304(validated: RunningTask, path: str) -> None:
    validated.request("GET", "/simple/demo/")
    etag = validated.request("GET", path)[1]["etag"]
    status, headers, content = validated.request("GET", path, headers={"If-None-Match": etag})
    assert (status, headers["etag"], content) == (304, etag, b"")
    assert validated.request("GET", path, headers={"If-None-Match": '"other"'})[0] == 200


@pytest.mark.parametrize("accept", [JSON, "text/html"])
def test_a_long_listing_is_compressed_for_those_who_take_it(
    validated: RunningTask, tmp_path: Path, accept: str
) -> None:
    for number in range(50):
        (validated.packages / f"long-1.{number}.zip").write_bytes(b"")
    wanted = {"Accept": accept}
    status, headers, plain = validated.request("GET", "/simple/long/", headers=wanted)
    assert (status, headers["vary"], "content-encoding" in headers) == (200, "Accept, Accept-Encoding", False)

    compressed = {**wanted, "Accept-Encoding": "gzip, deflate"}
    with start_task(tmp_path, packages=validated.packages, PYPISERVER_BACKEND="validated") as other:
        for task in (validated, other):
            status, gzip_headers, body = task.request("GET", "/simple/long/", headers=compressed)
            assert (status, gzip_headers["content-encoding"]) == (200, "gzip")
            assert (gzip_headers["content-type"], gzip_headers["vary"]) == (headers["content-type"], headers["vary"])
            assert int(gzip_headers["content-length"]) == len(body) < len(plain) / 3
            assert gzip.decompress(body) == plain
            assert gzip_headers["etag"] != headers["etag"]
            # Each form is the same for the client that has it, and for no other.
            for tag, asked, expected in (
                (gzip_headers["etag"], compressed, 304),
                (gzip_headers["etag"], wanted, 200),
                (headers["etag"], wanted, 304),
                (headers["etag"], compressed, 200),
            ):
                assert task.request("GET", "/simple/long/", headers={**asked, "If-None-Match": tag})[0] == expected
    assert validated.request("HEAD", "/simple/long/", headers=compressed)[1]["content-encoding"] == "gzip"
    short = validated.request("GET", "/simple/demo/", headers=compressed)[1]
    assert "content-encoding" not in short


@pytest.mark.parametrize("name", [SMALL, LARGE])
def test_a_part_of_a_file(validated: RunningTask, name: str) -> None:
    content = (validated.packages / name).read_bytes()
    status, headers, part = validated.request("GET", f"/packages/{name}", headers={"Range": "bytes=1000-4999"})
    assert (status, part) == (206, content[1000:5000])
    assert headers["content-range"] == f"bytes 1000-4999/{len(content)}"
    status, headers, _ = validated.request("GET", f"/packages/{name}", headers={"Range": "bytes=9000000-"})
    assert (status, headers["content-range"]) == (416, f"bytes */{len(content)}")


def test_what_never_changes_may_be_kept(validated: RunningTask, tmp_path: Path) -> None:
    validated.request("GET", "/simple/demo/")  # which settles the digests
    assert "immutable" in validated.request("GET", f"/packages/{SMALL}")[1]["cache-control"]
    assert "no-cache" in validated.request("GET", "/simple/demo/")[1]["cache-control"]
    with start_task(
        tmp_path / "task", packages=validated.packages, PYPISERVER_BACKEND="validated", PYPISERVER_OVERWRITE="true"
    ) as overwriting:
        assert "immutable" not in overwriting.request("GET", f"/packages/{SMALL}")[1]["cache-control"]


def test_the_directory_goes_and_comes_back(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    with start_task(tmp_path / "task", packages=packages, PYPISERVER_BACKEND="validated") as task:
        (packages / SMALL).write_bytes(b"wheel")
        before = task.request("GET", "/simple/demo/")
        packages.rename(tmp_path / "lost")
        paths = ("/simple/demo/", "/simple/", "/simple/other/", f"/packages/{SMALL}", "/packages/other-1.0.zip")
        assert [task.request("GET", path)[0] for path in paths] == [503] * 5
        assert task.request("GET", "/health")[0] == 200
        (tmp_path / "lost").rename(packages)
        assert task.request("GET", "/simple/demo/")[2] == before[2]
        assert task.request("GET", f"/packages/{SMALL}")[2] == b"wheel"


def test_a_file_written_in_place_is_noticed_when_it_is_downloaded(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    with start_task(tmp_path / "task", packages=packages, PYPISERVER_BACKEND="validated") as task:
        (packages / SMALL).write_bytes(b"first")
        first = task.request("GET", "/simple/demo/")[2]
        (packages / SMALL).write_bytes(b"another length")
        assert task.request("GET", f"/packages/{SMALL}")[2] == b"another length"
        second = task.request("GET", "/simple/demo/")[2]
        assert hashlib.sha256(b"first").hexdigest().encode() in first
        assert hashlib.sha256(b"another length").hexdigest().encode() in second


@pytest.mark.parametrize("backend", ["simple-dir", "validated"])
def test_a_file_truncated_while_it_is_sent_ends_the_connection_and_nothing_else(tmp_path: Path, backend: str) -> None:
    packages = tmp_path / "packages"
    with start_task(tmp_path / "task", packages=packages, PYPISERVER_BACKEND=backend) as task:
        (packages / LARGE).write_bytes(bytes(64_000_000))
        with task.connect() as slow:
            slow.sendall(
                f"GET /packages/{LARGE} HTTP/1.1\r\nHost: x\r\nAuthorization: {AUTHORIZATION}\r\n\r\n".encode()
            )
            received = len(slow.recv(65536))
            os.truncate(packages / LARGE, 1000)
            while chunk := slow.recv(1 << 20):
                received += len(chunk)
        assert received < 64_000_000
        assert task.request("GET", f"/packages/{LARGE}")[2] == bytes(1000)
        assert "Traceback" not in task.log()


def test_a_task_that_was_told_nothing_tells_nothing(tmp_path: Path) -> None:
    with start_task(tmp_path / "task", packages=tmp_path / "packages", PYPISERVER_TIMING_HEADERS="false") as task:
        headers = task.request("GET", "/simple/")[1]
        assert not {"server-timing", "x-served-by"} & headers.keys()
        task.request("GET", "/health")
        assert task.access_log()[0]["total_s"] > 0


def test_files_that_arrive_from_outside_are_listed_at_once(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    with start_task(tmp_path / "task", packages=packages, PYPISERVER_BACKEND="validated") as task:
        for number in range(20):
            shutil.copy(__file__, packages / f".copying-{number}")
            name = f"outside-{number}.0-py3-none-any.whl"
            (packages / f".copying-{number}").rename(packages / name)
            assert name in _links(task.request("GET", "/simple/outside/")[2])
