"""What the index does when it is wrong, and what it says when the directory cannot be read."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pypiserver_stack.container.base.records import FileKey, PackageContent
from pypiserver_stack.container.index.looks import IndexUnavailableError
from pypiserver_stack.container.index.package_index import PackageIndex
from tests.pypiserver_stack.container.index.counted_calls import CountedCalls
from tests.pypiserver_stack.container.index.file_server import FileServer
from tests.pypiserver_stack.container.index.indexes import MARGIN_S, digests_of, new_index, settle, sha256


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


# What it does when it is wrong.


def test_a_file_that_is_copied_straight_into_place_is_followed_until_it_is_at_rest(
    root: Path, index: PackageIndex, calls: CountedCalls
) -> None:
    package = root / "a-1.0.zip"
    package.write_bytes(b"start")
    for part in range(4):
        assert digests_of(index, "a") == {"a-1.0.zip": sha256(package.read_bytes())}
        calls.now_s += MARGIN_S * 0.9
        with package.open("ab") as file:
            file.write(b"part %d" % part)

    assert digests_of(index, "a") == {"a-1.0.zip": sha256(package.read_bytes())}


def test_a_file_that_was_changed_in_place_is_noticed_by_who_opens_it(
    root: Path, index: PackageIndex, calls: CountedCalls
) -> None:
    package = root / "a-1.0.zip"
    package.write_bytes(b"one")
    settle(index, calls, "a")
    package.write_bytes(b"another")  # which no directory shows
    entry = index.find("a-1.0.zip")
    assert entry is not None

    assert not index.is_current(entry, FileKey.of(package.stat()))
    index.distrust(entry)

    assert digests_of(index, "a") == {"a-1.0.zip": sha256(b"another")}


def test_a_doubt_has_the_directory_of_a_file_read_again_and_no_other(
    root: Path, index: PackageIndex, calls: CountedCalls
) -> None:
    for folder in ("", "sub", "by-project/a"):
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / "a-1.0.zip").touch()
    settle(index, calls, "a")
    for path in ("a-1.0.zip", "sub/a-1.0.zip", "by-project/a/a-1.0.zip"):
        calls.count.clear()
        entry = index.find(path)
        assert entry is not None
        assert not calls.count

        index.distrust(entry)
        found = index.find(path)

        assert found is not None
        assert found.relfn == path
        assert calls.count["scandir"] >= 1
        calls.count.clear()
        index.find(path)
        assert not calls.count


def test_an_open_file_tells_its_content_where_a_record_knows_it(root: Path, index: PackageIndex) -> None:
    package = root / "a-1.0.zip"
    package.write_bytes(b"one")
    key = FileKey.of(package.stat())
    entry = index.find("a-1.0.zip")
    assert entry is not None

    assert index.is_current(entry, key)
    assert entry.key is None
    record = index.records.put("a-1.0.zip", key, PackageContent(sha256(b"one"), None))
    assert index.is_current(entry, key)
    assert entry.record == record
    assert not index.is_current(entry, key._replace(inode=0))


@pytest.mark.parametrize("ahead_s", [-5.0, 0.0, 5.0])
def test_a_new_file_that_looks_like_the_one_just_removed_is_told_apart(root: Path, ahead_s: float) -> None:
    server = FileServer(root, granularity_s=2.0, ahead_s=ahead_s, rename_sets_ctime=False)
    index = new_index(root, server)
    server.create("a-1.0.zip", b"one")
    assert digests_of(index, "a") == {"a-1.0.zip": sha256(b"one")}
    key = FileKey.of(server.stat(root / "a-1.0.zip"))

    server.unlink("a-1.0.zip")
    server.create("a-1.0.zip", b"two")

    assert FileKey.of(server.stat(root / "a-1.0.zip")) == key
    assert digests_of(index, "a") == {"a-1.0.zip": sha256(b"two")}


@pytest.mark.parametrize("calls_before", range(25))
def test_a_file_that_moves_at_any_moment_while_its_page_is_made_is_on_it(root: Path, calls_before: int) -> None:
    server = FileServer(root, granularity_s=2.0, ahead_s=0.0, rename_sets_ctime=False)
    server.mkdir("sub")
    server.create("a-1.0.zip", b"one")
    index = new_index(root, server)
    digests_of(index, "a")

    server.interrupt(lambda: server.rename("a-1.0.zip", "sub/a-1.0.zip"), after_calls=calls_before)

    assert digests_of(index, "a") == {"a-1.0.zip": sha256(b"one")}


# Metadata.


def with_metadata(index: PackageIndex, root: Path, metadata: bytes) -> None:
    package = root / "a-1.0-py3-none-any.whl"
    temporary = root / ".new"
    temporary.write_bytes(b"wheel of " + metadata)
    temporary.rename(package)
    content = PackageContent(sha256(package.read_bytes()), metadata)
    index.records.put(package.name, FileKey.of(package.stat()), content)


def test_metadata_is_what_the_listing_promises(root: Path, calls: CountedCalls, index: PackageIndex) -> None:
    with_metadata(index, root, b"Name: a\n")
    another_worker = new_index(root, calls)
    entry = another_worker.find("a-1.0-py3-none-any.whl")
    assert entry is not None

    assert another_worker.metadata(entry) == b"Name: a\n"
    assert entry.record is not None
    assert entry.record.metadata_sha256 == sha256(b"Name: a\n")


def test_metadata_of_a_package_that_was_replaced_is_the_new_one(root: Path, index: PackageIndex) -> None:
    with_metadata(index, root, b"Name: a\n")
    entry = index.find("a-1.0-py3-none-any.whl")
    assert entry is not None
    assert index.metadata(entry) == b"Name: a\n"
    with_metadata(index, root, b"Name: a\nVersion: 1.0\n")

    assert index.metadata(entry) == b"Name: a\nVersion: 1.0\n"


def test_metadata_of_a_package_that_was_replaced_by_hand_is_gone(root: Path, index: PackageIndex) -> None:
    with_metadata(index, root, b"Name: a\n")
    entry = index.find("a-1.0-py3-none-any.whl")
    assert entry is not None
    assert index.metadata(entry) == b"Name: a\n"
    (root / ".new").write_bytes(b"another wheel")
    (root / ".new").rename(root / entry.relfn)

    assert index.metadata(entry) is None


def test_metadata_of_a_package_that_was_removed_is_gone(root: Path, index: PackageIndex) -> None:
    with_metadata(index, root, b"Name: a\n")
    entry = index.find("a-1.0-py3-none-any.whl")
    assert entry is not None
    assert index.metadata(entry) == b"Name: a\n"
    (root / entry.relfn).unlink()

    assert index.metadata(entry) is None


def test_a_file_that_came_without_metadata_has_none(root: Path, index: PackageIndex) -> None:
    (root / "a-1.0-py3-none-any.whl").touch()
    entry = index.find("a-1.0-py3-none-any.whl")
    assert entry is not None

    assert index.metadata(entry) is None


# What it says when it cannot.


def test_a_directory_that_vanishes_empties_nothing_and_is_found_again(root: Path, index: PackageIndex) -> None:
    (root / "a-1.0.zip").write_bytes(b"one")
    digests_of(index, "a")
    root.rename(root.with_name("unmounted"))

    for ask in (index.projects, lambda: index.project_page("a", True), lambda: index.root_page(True)):
        with pytest.raises(IndexUnavailableError, match="cannot be read"):
            ask()
    assert index.find("a-1.0.zip") is not None
    with pytest.raises(IndexUnavailableError):
        index.find("unknown-1.0.zip")

    root.with_name("unmounted").rename(root)
    assert digests_of(index, "a") == {"a-1.0.zip": sha256(b"one")}


def test_another_directory_in_its_place_is_read_afresh(root: Path, index: PackageIndex) -> None:
    (root / "a-1.0.zip").write_bytes(b"one")
    digests_of(index, "a")
    root.rename(root.with_name("old"))
    root.mkdir()
    (root / "b-1.0.zip").write_bytes(b"two")

    assert index.projects() == {"b"}


@pytest.mark.parametrize("error", [errno.EIO, errno.ESTALE, errno.EACCES])
def test_an_error_of_the_file_system_is_an_error_of_the_answer_and_passes(
    root: Path, index: PackageIndex, calls: CountedCalls, error: int
) -> None:
    (root / "a-1.0.zip").write_bytes(b"one")
    digests_of(index, "a")
    calls.failing[str(root)] = error

    with pytest.raises(IndexUnavailableError, match=os.strerror(error)):
        index.project_page("a", as_json=True)

    calls.failing.clear()
    assert digests_of(index, "a") == {"a-1.0.zip": sha256(b"one")}


@pytest.mark.parametrize("error", [errno.EIO, errno.ESTALE, errno.EACCES])
def test_a_folder_that_cannot_be_read_is_an_error_of_its_project_and_passes(
    root: Path, index: PackageIndex, calls: CountedCalls, error: int
) -> None:
    for project in ("a", "b"):
        (root / "by-project" / project).mkdir(parents=True)
        (root / "by-project" / project / f"{project}-1.0.zip").write_bytes(b"one")
    assert digests_of(index, "a")
    calls.failing["by-project/a"] = error

    for ask in (lambda: index.project_page("a", True), index.packages_page, lambda: index.find_by_name("a-2.0.zip")):
        with pytest.raises(IndexUnavailableError, match=os.strerror(error)):
            ask()
    assert digests_of(index, "b") == {"b-1.0.zip": sha256(b"one")}
    assert index.projects() == {"a", "b"}
    calls.failing.clear()
    assert index.find("by-project/a/a-1.0.zip") is not None  # whoever downloads need not list first
    assert digests_of(index, "a") == {"a-1.0.zip": sha256(b"one")}


def test_a_file_that_cannot_be_read_is_an_error_of_its_project_alone(
    root: Path, index: PackageIndex, calls: CountedCalls
) -> None:
    (root / "a-1.0.zip").write_bytes(b"one")
    (root / "b-1.0.zip").write_bytes(b"two")
    calls.failing[str(root / "a-1.0.zip")] = errno.EIO

    with pytest.raises(IndexUnavailableError, match="'a' cannot be read"):
        index.project_page("a", as_json=True)
    assert digests_of(index, "b") == {"b-1.0.zip": sha256(b"two")}
