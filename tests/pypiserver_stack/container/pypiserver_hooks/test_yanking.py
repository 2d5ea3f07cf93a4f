"""Yanks as a running task takes them, and as the listings of all tasks have them at once."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from urllib3 import encode_multipart_formdata

from tests.pypiserver_stack.container.package_content import package_content
from tests.pypiserver_stack.container.running_task import RunningTask, start_task

JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")


@pytest.fixture(scope="module")
def tasks(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningTask, RunningTask]]:
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    with (
        start_task(first, packages=packages, PYPISERVER_BACKEND="validated") as one,
        start_task(second, packages=packages, PYPISERVER_BACKEND="validated") as other,
    ):
        yield one, other


def put(task: RunningTask, *names: str) -> None:
    for name in names:
        (task.packages / name).parent.mkdir(exist_ok=True)
        (task.packages / name).write_bytes(b"any")


def call(task: RunningTask, action: str, **fields: str) -> tuple[int, str]:
    body = urlencode({":action": action, **fields}).encode()
    status, _, answer = task.request("POST", "/", body, FORM)
    return status, answer.decode()


def yanked(task: RunningTask, project: str) -> dict[str, object]:
    """What the listing says of each file; None where it says nothing."""
    page = json.loads(task.request("GET", f"/simple/{project}/", headers=JSON)[2])
    return {file["url"].removeprefix("../../packages/"): file.get("yanked") for file in page["files"]}


def test_all_files_of_a_release_are_yanked_on_every_task_at_once(tasks: tuple[RunningTask, RunningTask]) -> None:
    one, other = tasks
    put(one, "my_lib-1.0-py3-none-any.whl", "my_lib-1.0-py3-none-any.whl.asc", "sub/my-lib-1.0.0.tar.gz")
    put(one, "my_lib-1.0.post1-py3-none-any.whl")
    assert set(yanked(other, "my-lib").values()) == {None}

    assert call(one, "yank", name="My.Lib", version="1", reason="a reason, caf\u00e9 & <more>") == (200, "")

    reason = "a reason, caf\u00e9 & <more>"
    for task in tasks:
        assert yanked(task, "my-lib") == {
            "my_lib-1.0-py3-none-any.whl": reason,
            "sub/my-lib-1.0.0.tar.gz": reason,
            "my_lib-1.0.post1-py3-none-any.whl": None,
        }
    html = other.request("GET", "/simple/my-lib/")[2].decode()
    assert html.count('data-yanked="a reason, caf\u00e9 &amp; &lt;more&gt;"') == 2

    assert call(other, "unyank", name="my-lib", version="1.0")[0] == 200
    assert set(yanked(one, "my-lib").values()) == {None}


def test_a_reason_may_be_missing_and_may_change(tasks: tuple[RunningTask, RunningTask]) -> None:
    one, other = tasks
    put(one, "changed-1.0.zip")
    for fields, expected in (({}, True), ({"reason": "known"}, "known"), ({"reason": " "}, True)):
        assert call(one, "yank", name="changed", version="1.0", **fields)[0] == 200
        assert yanked(other, "changed") == {"changed-1.0.zip": expected}


def test_a_form_in_parts_is_taken_too(tasks: tuple[RunningTask, RunningTask]) -> None:
    put(tasks[0], "parts-1.0.zip")
    fields = {":action": "yank", "name": "parts", "version": "1.0", "reason": "caf\u00e9"}
    body, content_type = encode_multipart_formdata(fields)
    assert tasks[0].request("POST", "/", body, {"Content-Type": content_type})[0] == 200
    assert yanked(tasks[1], "parts") == {"parts-1.0.zip": "caf\u00e9"}


def test_a_copy_of_the_directory_is_yanked_too(tasks: tuple[RunningTask, RunningTask], tmp_path: Path) -> None:
    put(tasks[0], "copied-1.0.zip")
    call(tasks[0], "yank", name="copied", version="1.0", reason="why")
    shutil.copytree(tasks[0].packages, tmp_path / "packages")
    with start_task(tmp_path / "task", packages=tmp_path / "packages", PYPISERVER_BACKEND="validated") as restored:
        assert yanked(restored, "copied") == {"copied-1.0.zip": "why"}


def test_a_removed_file_is_not_yanked_once_it_is_uploaded_again(tasks: tuple[RunningTask, RunningTask]) -> None:
    put(tasks[0], "again-1.0.zip")
    call(tasks[0], "yank", name="again", version="1.0")
    assert call(tasks[0], "remove_pkg", name="again", version="1.0")[0] == 200
    assert list(tasks[0].packages.glob("again*")) == []
    put(tasks[0], "again-1.0.zip")
    assert yanked(tasks[1], "again") == {"again-1.0.zip": None}


@pytest.mark.parametrize("action", ["yank", "unyank"])
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"name": "refused", "version": "9.9"}, 404),
        ({"name": "other", "version": "1.0"}, 404),
        ({"name": "refused"}, 400),
        ({"version": "1.0"}, 400),
        ({"name": "refused", "version": "1.0", "reason": "r" * 1025}, 400),
        ({"name": "../refused", "version": "1.0"}, 404),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    tasks: tuple[RunningTask, RunningTask], action: str, fields: dict[str, str], status: int
) -> None:
    put(tasks[0], "refused-1.0.zip")
    assert call(tasks[0], action, **fields)[0] == status
    assert yanked(tasks[0], "refused") == {"refused-1.0.zip": None}


def test_nobody_yanks_without_credentials(tasks: tuple[RunningTask, RunningTask]) -> None:
    put(tasks[0], "closed-1.0.zip")
    body = urlencode({":action": "yank", "name": "closed", "version": "1.0"}).encode()
    assert tasks[0].request("POST", "/", body, {**FORM, "Authorization": ""})[0] == 401
    assert yanked(tasks[0], "closed") == {"closed-1.0.zip": None}


def test_a_removed_file_that_was_yanked_and_removed_by_hand_is_uploaded_anew(
    tasks: tuple[RunningTask, RunningTask],
) -> None:
    name, path = "orphan-1.0.zip", "by-project/orphan/orphan-1.0.zip"
    assert tasks[0].upload(name, package_content(name)) == 200
    call(tasks[0], "yank", name="orphan", version="1.0")
    assert yanked(tasks[1], "orphan") == {path: True}
    tasks[0].stored(name).unlink()
    assert tasks[0].upload(name, package_content(name)) == 200
    assert yanked(tasks[1], "orphan") == {path: None}


@pytest.mark.parametrize(
    "name", ["odd-1.0-py3.9-linux-x86_64.egg", "odd-1.0.win-amd64-py3.8.exe", "o" * 244 + "-1.0.zip"]
)
def test_a_yank_is_no_package_whatever_the_name_of_the_package(
    tasks: tuple[RunningTask, RunningTask], name: str
) -> None:
    put(tasks[0], name)
    project = name.partition("-")[0]
    fields = {"name": project, "version": "1.0"}
    status = call(tasks[0], "yank", **fields)[0]
    too_long = len(name) > 248
    assert status == (400 if too_long else 200)
    assert yanked(tasks[1], project) == {name: None if too_long else True}
    assert call(tasks[0], "remove_pkg", **fields)[0] == 200
    assert [path.name for path in tasks[0].packages.iterdir() if path.name.startswith(project)] == []


def test_a_link_is_no_yank_nor_is_a_directory(tasks: tuple[RunningTask, RunningTask], tmp_path: Path) -> None:
    put(tasks[0], "linked-1.0.zip")
    os.mkfifo(tmp_path / "fifo")
    (tasks[0].packages / "linked-1.0.zip.yanked").symlink_to(tmp_path / "fifo")
    assert yanked(tasks[0], "linked") == {"linked-1.0.zip": None}
    put(tasks[0], "directory-1.0.zip")
    (tasks[0].packages / "directory-1.0.zip.yanked").mkdir()
    assert yanked(tasks[0], "directory") == {"directory-1.0.zip": None}
    assert call(tasks[0], "remove_pkg", name="directory", version="1.0")[0] == 200


def test_a_reason_is_shown_without_control_characters_and_must_be_utf_8(
    tasks: tuple[RunningTask, RunningTask],
) -> None:
    put(tasks[0], "control-1.0.zip")
    assert call(tasks[0], "yank", name="control", version="1.0", reason="a\x00b\x1b[31m")[0] == 200
    assert yanked(tasks[1], "control") == {"control-1.0.zip": "a b [31m"}
    form = b":action=yank&name=control&version=1.0&reason=%ff"
    assert tasks[0].request("POST", "/", form, FORM)[0] == 400


def test_a_listing_that_is_held_is_made_again_for_a_yank(tasks: tuple[RunningTask, RunningTask]) -> None:
    put(tasks[0], "held-1.0.zip")
    held = ("held-1.0.zip", None)
    # The margin has passed, and whatever was read since is held.
    time.sleep(0.5)
    for _ in range(3):
        assert tuple(yanked(tasks[1], "held").items()) == (held,)
    call(tasks[0], "yank", name="held", version="1.0", reason="why")
    assert yanked(tasks[1], "held") == {"held-1.0.zip": "why"}
    call(tasks[0], "unyank", name="held", version="1.0")
    assert yanked(tasks[1], "held") == {"held-1.0.zip": None}


def test_a_yank_that_cannot_be_written_is_said(tasks: tuple[RunningTask, RunningTask]) -> None:
    put(tasks[0], "stuck-1.0.zip")
    (tasks[0].packages / "stuck-1.0.zip.yanked").mkdir()
    status, answer = call(tasks[0], "yank", name="stuck", version="1.0")
    assert status == 503
    assert "stuck-1.0.zip" in answer
    assert yanked(tasks[0], "stuck") == {"stuck-1.0.zip": None}


def test_simple_dir_whose_listings_know_no_yanks_refuses_them(tmp_path: Path) -> None:
    with start_task(tmp_path / "task", packages=tmp_path / "packages", PYPISERVER_BACKEND="simple-dir") as task:
        put(task, "demo-1.0.zip")
        status, answer = call(task, "yank", name="demo", version="1.0")
    assert status == 400
    assert "yank" in answer
