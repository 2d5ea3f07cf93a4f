"""What the index answers, and what that costs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pypiserver_stack.container.base.records import FileKey, PackageContent
from pypiserver_stack.container.index.package_index import PackageIndex
from tests.pypiserver_stack.container.index.counted_calls import CountedCalls
from tests.pypiserver_stack.container.index.file_server import FileServer
from tests.pypiserver_stack.container.index.indexes import MARGIN_S, digests_of, new_index, settle, sha256

LONG_AGO_S = 1_000_000_000


@pytest.fixture
def calls() -> CountedCalls:
    return CountedCalls()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    packages = tmp_path / "packages"
    packages.mkdir()
    return packages


@pytest.fixture
def index(root: Path, calls: CountedCalls) -> PackageIndex:
    return new_index(root, calls)


# What it answers.


def test_a_project_a_root_page_and_an_entry(root: Path, index: PackageIndex) -> None:
    (root / "sub").mkdir()
    (root / "sub" / "My_Project-1.0.tar.gz").write_bytes(b"one")

    page = index.project_page("my-project", as_json=False)

    assert page is not None
    assert f'"../../packages/sub/My_Project-1.0.tar.gz#sha256={sha256(b"one")}"'.encode() in page.body
    assert b'<a href="my-project/">my-project</a>' in index.root_page(as_json=False).body
    entry = index.find("sub/My_Project-1.0.tar.gz")
    assert entry is not None
    assert (entry.name, entry.project, entry.version) == ("My_Project-1.0.tar.gz", "my-project", "1.0")
    record = index.record("sub/My_Project-1.0.tar.gz")
    assert record is not None
    assert record.sha256 == sha256(b"one")


def test_what_does_not_exist(root: Path, index: PackageIndex) -> None:
    assert index.project_page("a", as_json=True) is None
    assert index.find("a-1.0.zip") is None
    assert index.record("a-1.0.zip") is None
    assert json.loads(index.root_page(as_json=True).body)["projects"] == []


def test_the_tag_of_a_page_changes_with_its_content_and_with_nothing_else(
    root: Path, index: PackageIndex, calls: CountedCalls
) -> None:
    (root / "a-1.0.zip").write_bytes(b"one")
    first = index.project_page("a", as_json=False)
    (root / "b-1.0.zip").write_bytes(b"another project's")
    os.utime(root / "a-1.0.zip", (LONG_AGO_S, LONG_AGO_S))
    calls.now_s += MARGIN_S

    assert index.project_page("a", as_json=False) == first
    (root / "a-2.0.zip").write_bytes(b"two")
    second = index.project_page("a", as_json=False)
    (root / "a-2.0.zip").unlink()

    assert first is not None
    assert second is not None
    assert first.etag != second.etag
    assert index.project_page("a", as_json=False) == first


def test_a_project_goes_with_its_last_file(root: Path, index: PackageIndex) -> None:
    (root / "a-1.0.zip").touch()
    (root / "b-1.0.zip").touch()
    assert index.project_page("a", as_json=True) is not None
    (root / "a-1.0.zip").unlink()

    assert index.project_page("a", as_json=True) is None
    assert index.projects() == {"b"}


# What it costs.


def put(root: Path, path: str, content: bytes = b"") -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)


def test_what_is_uploaded_is_listed_beside_what_was_copied_in(root: Path, index: PackageIndex) -> None:
    put(root, "a-1.0.zip", b"copied")
    put(root, "by-project/a/a-2.0.zip", b"uploaded")
    put(root, "by-project/b/b-1.0.zip")

    assert digests_of(index, "a") == {"a-1.0.zip": sha256(b"copied"), "a-2.0.zip": sha256(b"uploaded")}
    page = index.project_page("a", as_json=False)
    assert page is not None
    assert b'"../../packages/by-project/a/a-2.0.zip#sha256=' in page.body
    assert index.projects() == {"a", "b"}
    assert {entry.relfn for entry in index.all_packages()} == {
        *("a-1.0.zip", "by-project/a/a-2.0.zip", "by-project/b/b-1.0.zip")
    }
    assert b"by-project/b/b-1.0.zip" in index.packages_page().body
    put(root, "by-project/b/b-2.0.zip")
    assert b"by-project/b/b-2.0.zip" in index.packages_page().body


def test_a_package_is_found_by_its_name_alone_or_by_its_path(root: Path, index: PackageIndex) -> None:
    for path in ("by-project/a/a-1.0.zip", "by-project/a-1/a-1-2.zip", "sub/c-1.0.zip"):
        put(root, path)

    for entry in (index.find_by_name("a-1.0.zip"), index.find("by-project/a/a-1.0.zip")):
        assert entry is not None
        assert entry.relfn == "by-project/a/a-1.0.zip"
    entry = index.find_by_name("a-1-2.zip")  # of a or of a-1: where it lies says which
    assert entry is not None
    assert (entry.relfn, entry.project) == ("by-project/a-1/a-1-2.zip", "a-1")
    for path in ("c-1.0.zip", "by-project/b/a-1.0.zip", "by-project/a-1.0.zip", "by-project/a/../a/a-1.0.zip"):
        assert index.find(path) is None
        assert index.find_by_name(path) is None


@pytest.mark.parametrize("project", ["", ".", "..", "a/b", "a\0b", "n" * 300, "\udce9", "A", "by-project"])
def test_a_project_whose_name_no_folder_has_is_none(root: Path, index: PackageIndex, project: str) -> None:
    put(root, "by-project/a/a-1.0.zip")

    assert index.project_page(project, as_json=True) is None
    assert list(index.packages(project)) == []


def test_a_settled_listing_has_each_change_of_its_folder_at_once(
    root: Path, index: PackageIndex, calls: CountedCalls
) -> None:
    put(root, "by-project/a/a-1.0.zip", b"one")
    put(root, "a-0.1.zip", b"copied")
    settle(index, calls, "a")
    put(root, "by-project/a/a-2.0.zip", b"two")
    assert digests_of(index, "a")["a-2.0.zip"] == sha256(b"two")

    settle(index, calls, "a")
    put(root, "by-project/a/.new", b"another")
    (root / "by-project/a/.new").rename(root / "by-project/a/a-1.0.zip")
    assert digests_of(index, "a")["a-1.0.zip"] == sha256(b"another")

    settle(index, calls, "a")
    put(root, "by-project/a/a-1.0.zip.yanked", b"broken")
    page = index.project_page("a", as_json=True)
    assert page is not None
    assert [file.get("yanked") for file in json.loads(page.body)["files"]] == [None, "broken", None]

    settle(index, calls, "a")
    (root / "by-project/a/a-1.0.zip").unlink()
    assert digests_of(index, "a").keys() == {"a-0.1.zip", "a-2.0.zip"}


def test_a_stray_file_among_the_folders_is_no_package(root: Path, index: PackageIndex) -> None:
    put(root, "by-project/a-1.0.zip")
    assert index.projects() == set()
    assert index.find("by-project/a-1.0.zip") is None
    assert index.find_by_name("a-1.0.zip") is None
    assert list(index.all_packages()) == []


def test_all_packages_cost_two_looks_at_each_folder_while_the_root_is_unsettled(
    root: Path, index: PackageIndex, calls: CountedCalls
) -> None:
    put(root, "a-1.0.zip")
    for number in range(250):
        put(root, f"by-project/p{number}/p{number}-1.0.zip")

    assert len(list(index.all_packages())) == 251
    assert calls.count["scandir"] < 2 * 250 + 20


def test_all_packages_are_found_however_many_folders_there_are(root: Path, index: PackageIndex) -> None:
    for number in range(350):
        put(root, f"by-project/p{number}/p{number}-1.0.zip")

    assert len(list(index.all_packages())) == len(index.projects()) == 350
    (root / "by-project" / "p7" / "p7-1.0.zip").unlink()
    (root / "by-project" / "p7").rmdir()
    assert len(list(index.all_packages())) == len(index.projects()) == 349


def test_an_upload_to_one_project_has_no_other_read_again(root: Path, index: PackageIndex, calls: CountedCalls) -> None:
    put(root, "a-1.0.zip", b"copied")
    put(root, "by-project/a/a-2.0.zip", b"uploaded")
    put(root, "by-project/b/b-1.0.zip")
    settle(index, calls, "a")
    calls.count.clear()
    put(root, "by-project/b/b-2.0.zip")
    put(root, "by-project/c/c-1.0.zip")

    assert len(digests_of(index, "a")) == 2
    assert (calls.count["scandir"], calls.count["stat"]) == (0, 0)


@pytest.mark.parametrize("packages", [3, 500])
def test_an_unchanged_listing_costs_as_many_calls_whatever_the_number_of_packages(
    root: Path, index: PackageIndex, calls: CountedCalls, packages: int
) -> None:
    for number in range(packages):
        (root / f"a-{number}.zip").write_bytes(b"%d" % number)
    settle(index, calls, "a")
    calls.count.clear()

    assert len(digests_of(index, "a")) == packages
    assert calls.count == {"open": 3, "fstat": 1, "close": 2}  # there is no folder of uploads


def test_after_a_change_only_the_new_file_is_read(root: Path, index: PackageIndex, calls: CountedCalls) -> None:
    for number in range(50):
        (root / f"a-{number}.zip").write_bytes(b"%d" % number)
    settle(index, calls, "a")
    calls.count.clear()
    (root / "a-new.zip").write_bytes(b"new")

    assert digests_of(index, "a")["a-new.zip"] == sha256(b"new")
    assert calls.count["read"] == 1


def test_a_new_worker_lists_without_reading_a_byte_of_a_package(
    root: Path, index: PackageIndex, calls: CountedCalls
) -> None:
    (root / "a-1.0.zip").write_bytes(b"one")
    settle(index, calls, "a")
    calls.count.clear()

    assert digests_of(new_index(root, calls), "a") == {"a-1.0.zip": sha256(b"one")}
    assert calls.count["read"] == 0


def test_what_an_upload_left_beside_its_file_is_enough(root: Path, index: PackageIndex, calls: CountedCalls) -> None:
    (root / "a-1.0-py3-none-any.whl").write_bytes(b"wheel")
    key = FileKey.of((root / "a-1.0-py3-none-any.whl").stat())
    metadata = b"Name: a\n"
    index.records.put("a-1.0-py3-none-any.whl", key, PackageContent(sha256(b"wheel"), metadata))

    page = index.project_page("a", as_json=False)

    assert page is not None
    assert f'data-core-metadata="sha256={sha256(metadata)}"'.encode() in page.body
    assert calls.count["read"] == 0


def test_a_file_of_long_ago_is_read_once(root: Path) -> None:
    server = FileServer(root, granularity_s=1.0, ahead_s=-5.0, rename_sets_ctime=True)
    server.create("a-1.0.zip", b"one")
    server.pass_time(3600)
    index = new_index(root, server)
    for _ in range(4):
        assert digests_of(index, "a") == {"a-1.0.zip": sha256(b"one")}
        server.pass_time(1)

    assert server.reads == 1


def test_where_no_record_can_be_kept_files_are_read_until_their_age_is_known_and_no_more(
    root: Path, index: PackageIndex, calls: CountedCalls
) -> None:
    (root / ".digests").write_text("in the way")
    (root / "a-1.0.zip").write_bytes(b"one")
    settle(index, calls, "a")
    calls.count.clear()

    assert digests_of(index, "a") == {"a-1.0.zip": sha256(b"one")}
    assert calls.count["read"] == 0


def test_many_projects_are_held_up_to_a_number_of_bytes(
    root: Path, index: PackageIndex, calls: CountedCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pypiserver_stack.container.index.package_index._HELD_PAGES_BYTES", 5000)
    for number in range(10):
        (root / f"p{number}-1.0.zip").touch()
    settle(index, calls, "p0")
    for number in range(10):
        settle(index, calls, f"p{number}")

    calls.count.clear()
    index.project_page("p9", as_json=True)
    assert calls.count["stat"] == 0
    index.project_page("p0", as_json=True)
    assert calls.count["stat"] == 1
