"""Digests beside the packages."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from pypiserver_stack.container.base.digests import Digests, DigestStore, FileKey, hash_file
from pypiserver_stack.container.base.system_calls import SystemCalls

KEY = FileKey(size=3, mtime_ns=10, ctime_ns=20, inode=30)
DIGESTS = Digests("ab" * 32, hashlib.sha256(b"Name: a\n").hexdigest())


def test_a_new_store_over_the_same_root_still_knows_them(tmp_path: Path) -> None:
    DigestStore(tmp_path).put("a.whl", KEY, DIGESTS, b"Name: a\n")

    assert DigestStore(tmp_path).get("a.whl", KEY) == DIGESTS
    assert DigestStore(tmp_path).metadata("a.whl") == b"Name: a\n"


@pytest.mark.parametrize("field", FileKey._fields)
def test_a_record_counts_for_one_state_of_the_file_only(tmp_path: Path, field: str) -> None:
    store = DigestStore(tmp_path)
    store.put("a.whl", KEY, DIGESTS)

    assert store.get("a.whl", KEY._replace(**{field: 99})) is None


@pytest.mark.parametrize("name", ["sub/a b#1.whl", "n" * 255, "caf\udce9-1.0.tar.gz", "a\n.whl"])
def test_any_path_a_file_system_allows_has_a_record_of_its_own(tmp_path: Path, name: str) -> None:
    store = DigestStore(tmp_path)
    store.put(name, KEY, DIGESTS)
    store.put("other.whl", KEY, Digests("cd" * 32))

    assert store.get(name, KEY) == DIGESTS
    store.remove(name)
    assert store.get(name, KEY) is None
    assert store.get("other.whl", KEY) == Digests("cd" * 32)


def test_metadata_that_nobody_brought_is_none(tmp_path: Path) -> None:
    store = DigestStore(tmp_path)
    store.put("a.whl", KEY, Digests("ab" * 32))

    assert store.metadata("a.whl") is None
    assert store.metadata("unknown.whl") is None


def test_a_renewed_record_keeps_the_metadata_of_the_same_content_only(tmp_path: Path) -> None:
    store = DigestStore(tmp_path)
    store.put("a.whl", KEY, DIGESTS, b"Name: a\n")
    touched = KEY._replace(ctime_ns=21)

    assert store.renew("a.whl", touched, DIGESTS.sha256) == DIGESTS
    assert store.get("a.whl", touched) == DIGESTS
    assert store.metadata("a.whl") == b"Name: a\n"
    assert store.renew("a.whl", touched, "cd" * 32) == Digests("cd" * 32)
    assert store.metadata("a.whl") is None


@pytest.mark.parametrize(
    "torn", [b"", b'{"key": [3, 10', b"[]\n", b'{"key": [1], "sha256": "", "metadata_sha256": null}']
)
def test_a_torn_record_is_as_good_as_none(tmp_path: Path, torn: bytes) -> None:
    store = DigestStore(tmp_path)
    store.put("a.whl", KEY, DIGESTS)
    (record,) = (tmp_path / ".digests").iterdir()
    record.write_bytes(torn)

    assert store.get("a.whl", KEY) is None


def test_nothing_is_left_in_the_root_but_the_records(tmp_path: Path) -> None:
    store = DigestStore(tmp_path)
    store.put("a.whl", KEY, DIGESTS)
    store.put("a.whl", KEY, DIGESTS)
    store.clock_ns()

    assert [path.name for path in tmp_path.iterdir()] == [".digests"]
    assert len(list((tmp_path / ".digests").iterdir())) == 1


def test_where_no_folder_can_be_made_there_are_no_records_and_no_errors(tmp_path: Path) -> None:
    (tmp_path / ".digests").write_text("in the way")
    store = DigestStore(tmp_path)

    store.put("a.whl", KEY, DIGESTS)
    store.remove("a.whl")

    assert store.get("a.whl", KEY) is None
    assert store.clock_ns() is None


def test_a_directory_that_not_even_root_may_write_to_is_no_error() -> None:
    store = DigestStore(Path("/proc/self"))
    store.put("a.whl", KEY, DIGESTS)
    assert store.get("a.whl", KEY) is None
    assert store.clock_ns() is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_directory_is_no_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        store = DigestStore(tmp_path)
        store.put("a.whl", KEY, DIGESTS)
        assert store.get("a.whl", KEY) is None
    finally:
        tmp_path.chmod(0o755)


def test_the_clock_is_the_one_that_dates_files(tmp_path: Path) -> None:
    clock_ns = DigestStore(tmp_path).clock_ns()
    (tmp_path / "later").touch()

    assert clock_ns is not None
    assert clock_ns <= (tmp_path / "later").stat().st_ctime_ns


def test_a_file_is_hashed_with_the_key_of_what_was_read(tmp_path: Path) -> None:
    package = tmp_path / "a.whl"
    package.write_bytes(b"x" * 3_000_000)

    assert hash_file(str(package), SystemCalls()) == (
        FileKey.of(package.stat()),
        hashlib.sha256(b"x" * 3_000_000).hexdigest(),
    )


class GrowingFile(SystemCalls):
    """Somebody appends while the file is read, a number of times."""

    def __init__(self, path: Path, times: int) -> None:
        self.path, self.times = path, times

    def read(self, descriptor: int, length: int) -> bytes:
        if self.times:
            self.times -= 1
            with self.path.open("ab") as file:
                file.write(b"more")
        return os.read(descriptor, length)


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    package = tmp_path / "a.whl"
    package.write_bytes(b"start")

    hashed = hash_file(str(package), GrowingFile(package, times=2))

    assert hashed == (FileKey.of(package.stat()), hashlib.sha256(b"startmoremore").hexdigest())


def test_a_file_that_never_holds_still_has_no_digest(tmp_path: Path) -> None:
    package = tmp_path / "a.whl"
    package.write_bytes(b"start")

    assert hash_file(str(package), GrowingFile(package, times=100)) is None
