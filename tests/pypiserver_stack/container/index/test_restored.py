"""What AWS Backup has restored is no part of the index until it is moved into place, with either backend."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pypiserver_stack.container.base.excluded_paths import is_excluded
from tests.pypiserver_stack.container.package_content import package_content
from tests.pypiserver_stack.container.running_task import RunningTask, start_task

RESTORED = "aws-backup-restore_2025-12-27T09-45-00-123Z"
LOST = f"{RESTORED}/packages/sub/lost-1.0.zip"
# One that starts like such a folder, and is a package all the same.
NAMESAKE = "aws-backup-restore_x-1.0.zip"


@pytest.fixture(params=["simple-dir", "validated"])
def task(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningTask]:
    packages = tmp_path / "packages"
    for name in ("a-1.0.zip", f"{RESTORED}/packages/a-0.9.zip", LOST, f"sub/{RESTORED}/b-1.0.zip", NAMESAKE):
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_bytes(name.encode())
    with start_task(tmp_path / "task", packages=packages, PYPISERVER_BACKEND=request.param) as task:
        yield task


def page(task: RunningTask, path: str) -> str:
    status, _, body = task.request("GET", path)
    assert status == 200
    return body.decode()


def test_it_is_neither_listed_nor_served(task: RunningTask) -> None:
    root = page(task, "/simple/")
    assert 'href="a/"' in root
    assert 'href="aws-backup-restore-x/"' in root
    assert "lost" not in root
    assert 'href="b/"' not in root
    assert "a-1.0.zip" in page(task, "/simple/a/")
    for path in ("/simple/a/", "/packages/"):
        listed = page(task, path)
        assert "a-1.0.zip" in listed
        assert RESTORED not in listed
    assert list(json.loads(page(task, "/a/json"))["releases"]) == ["1.0"]
    for path in (f"/packages/{LOST}", "/packages/lost-1.0.zip", f"/packages/sub/{RESTORED}/b-1.0.zip"):
        assert task.request("GET", path)[0] == 404
    assert page(task, f"/packages/{NAMESAKE}") == NAMESAKE


def test_a_package_that_is_moved_into_place_is_there_at_once(task: RunningTask) -> None:
    assert task.request("GET", "/simple/lost/")[0] == 404

    (task.packages / LOST).rename(task.packages / "lost-1.0.zip")

    assert "lost-1.0.zip" in page(task, "/simple/lost/")
    assert page(task, "/packages/lost-1.0.zip") == LOST


def test_a_name_that_only_a_restored_copy_has_can_be_uploaded(task: RunningTask) -> None:
    assert task.upload("lost-1.0.zip", package_content("lost-1.0.zip")) == 200
    assert task.request("GET", "/packages/lost-1.0.zip")[2] == package_content("lost-1.0.zip")
    assert task.upload("a-1.0.zip", package_content("a-1.0.zip")) == 409


@pytest.mark.parametrize(
    ("folder", "excluded"),
    [
        ("", False),
        ("sub", False),
        ("lost+found", True),
        ("lost+found/sub", True),
        ("sub/lost+found", False),
        (RESTORED, True),
        (f"{RESTORED}/packages/sub", True),
        (f"sub/{RESTORED}", True),
        (f"not-{RESTORED}", False),
    ],
)
def test_which_folders_are_excluded(folder: str, excluded: bool) -> None:
    assert is_excluded(folder) is excluded
