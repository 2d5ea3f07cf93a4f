"""Releases as running tasks know them, with either backend: removed whole, the newest named, odd names left out."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from urllib3 import encode_multipart_formdata

from tests.pypiserver_stack.container.package_content import package_content
from tests.pypiserver_stack.container.running_task import RunningTask, start_task

JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}
MIXED = [
    *("my_lib-1.0-py3-none-any.whl", "my_lib-1.0-1-py3-none-any.whl", "my_lib-1.0-py3-none-any.whl.asc"),
    *("my-lib-1.0.tar.gz", "My.Lib-1.0.0.zip", "sub/my_lib-v1.0.tar.gz", "my_lib-1.0-py3-none-any.whl.metadata"),
]
OTHERS = {"my_lib-1.0.post1-py3-none-any.whl", "my-lib-1.0+local.tar.gz", "my_lib_extra-1.0-py3-none-any.whl"}


@pytest.fixture(scope="module", params=["simple-dir", "validated"])
def task(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    folder = tmp_path_factory.mktemp(request.param)
    with start_task(folder / "task", packages=folder / "packages", PYPISERVER_BACKEND=request.param) as task:
        yield task


def put(task: RunningTask, *names: str) -> None:
    for name in names:
        (task.packages / name).parent.mkdir(exist_ok=True)
        (task.packages / name).write_bytes(b"any")


def files(task: RunningTask, begin: str) -> set[str]:
    found = (path for path in task.packages.rglob("*") if path.is_file() and ".digests" not in path.parts)
    return {path.name for path in found if path.name.lower().replace("-", "_").replace(".", "_").startswith(begin)}


def post(task: RunningTask, **fields: str | tuple[str, bytes]) -> tuple[int, str]:
    """The answer to a form; fields are called as here, but for `action`."""
    form = {":action" if name == "action" else name: value for name, value in fields.items()}
    body, content_type = encode_multipart_formdata(form)
    status, _, answer = task.request("POST", "/", body, {"Content-Type": content_type})
    return status, answer.decode()


@pytest.mark.parametrize(
    ("name", "version"), [("my-lib", "1.0"), ("my_lib", "1.0.0"), ("My.Lib", "v1.0"), ("MY--LIB", "1")]
)
def test_a_release_is_removed_whole_however_it_is_spelled(task: RunningTask, name: str, version: str) -> None:
    put(task, *MIXED, *OTHERS)

    assert post(task, action="remove_pkg", name=name, version=version)[0] == 200

    assert files(task, "my_lib") == OTHERS
    assert post(task, action="remove_pkg", name=name, version=version)[0] == 404
    listed = json.loads(task.request("GET", "/my-lib/json")[2])["releases"]
    assert set(listed) == {"1.0.post1", "1.0+local"}


def test_the_records_of_what_was_uploaded_are_removed_too(task: RunningTask) -> None:
    for name in ("recorded-1.0.tar.gz", "recorded-1.0-py3-none-any.whl"):
        assert post(task, action="file_upload", content=(name, package_content(name)))[0] == 200
    records = task.packages / ".digests"
    before = len(list(records.iterdir()))

    form = urlencode({":action": "remove_pkg", "name": "Recorded", "version": "1.0.0"}).encode()
    status, _, _ = task.request("POST", "/", form, {"Content-Type": "application/x-www-form-urlencoded"})

    assert status == 200
    assert files(task, "recorded") == set()
    assert len(list(records.iterdir())) == before - 2


@pytest.mark.parametrize(
    ("project", "versions", "newest"),
    [
        ("epoch", ["3.0", "1!2.0"], "1!2.0"),
        ("final", ["1.0.post1", "2.0.dev1", "0.9"], "1.0.post1"),
        ("pre", ["1.0a1", "1.0.dev3"], "1.0a1"),
    ],
)
def test_the_newest_version_is_that_of_pep_440(
    task: RunningTask, project: str, versions: list[str], newest: str
) -> None:
    put(task, *(f"{project}-{version}.tar.gz" for version in versions), f"{project}-0.1.dev0-7-py3-none-any.whl")

    info = json.loads(task.request("GET", f"/{project}/json")[2])

    assert info["info"]["version"] == newest
    assert set(info["releases"]) == {*versions, "0.1.dev0"}
    for version, (file,) in info["releases"].items():
        if version != "0.1.dev0":
            assert file["url"] == f"{task.url}/packages/{project}-{version}.tar.gz"
    assert task.request("GET", f"/{project.upper()}/json")[0] == 301
    assert task.request("GET", "/none-such/json")[0] == 404


def test_no_page_shows_a_name_that_is_no_text(task: RunningTask) -> None:
    odd = [os.fsdecode(name) for name in (b"odd-1.0+caf\xe9.zip", b"odd-2\n.0.zip", b"odd\xff/odd-3.0.zip")]
    put(task, "odd-1.0.zip", *odd)

    for path in ("/simple/odd/", "/simple/", "/packages/", "/odd/json"):
        for headers in ({}, JSON):
            status, _, body = task.request("GET", path, headers=headers)
            assert status == 200
            page = body.decode()
            assert "odd" in page
            assert not any(sign in page for sign in ("\\udc", "\udce9", "%E9", "%FF", "%0A", "odd-2", "odd-3"))
    assert task.log().count("is not listed: its name holds control characters") == len(odd)
    for path in ("/packages/odd-1.0+caf%E9.zip", "/packages/odd-2%0A.0.zip", "/packages/odd%FF/odd-3.0.zip"):
        assert task.request("GET", path)[0] in (400, 404)  # bottle refuses a path that is not UTF-8


def test_a_file_of_an_older_setuptools_is_of_the_project_that_its_form_says(task: RunningTask) -> None:
    """pypiserver takes it for version "4dviewer-1.2.0" of acme."""
    name = "acme-4dviewer-1.2.0.tar.gz"
    said = {"action": "file_upload", "name": "acme-4dviewer", "version": "1.2.0"}
    assert post(task, **said, content=(name, package_content(name))) == (200, "")
    assert name.encode() in task.request("GET", "/simple/acme-4dviewer/")[2]
    assert task.request("GET", "/simple/acme/")[0] == 404
    assert post(task, action="remove_pkg", name="acme-4dviewer", version="1.2")[0] == 200
    assert files(task, "acme") == set()


def test_a_copied_file_whose_name_leaves_its_project_open_is_of_that_in_its_metadata(task: RunningTask) -> None:
    """ "open-1-2" is 2 of open-1, or 1.post2 of open."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("open/PKG-INFO", "Name: open\nVersion: 1.post2\n")
    (task.packages / "open-1-2.zip").write_bytes(content.getvalue())
    if task.request("GET", "/simple/open-1/")[0] == 200:  # simple-dir opens no file for its listings
        assert post(task, action="remove_pkg", name="open-1", version="2")[0] == 200
        return
    assert b"open-1-2.zip" in task.request("GET", "/simple/open/")[2]
    assert task.request("GET", "/simple/open-1/")[0] == 404
    assert task.request("GET", "/packages/open-1-2.zip")[2] == content.getvalue()
    assert post(task, action="remove_pkg", name="open-1", version="2")[0] == 404
    assert post(task, action="remove_pkg", name="open", version="1-2")[0] == 200
    assert task.request("GET", "/simple/open/")[0] == 404
