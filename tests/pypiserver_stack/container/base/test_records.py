"""Records beside the packages."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest

from pypiserver_stack.container.base.records import (
    FileKey,
    PackageContent,
    PackageRecord,
    RecordStore,
    read_package,
)
from pypiserver_stack.container.base.system_calls import SystemCalls

KEY = FileKey(size=3, mtime_ns=10, ctime_ns=20, inode=30)
METADATA = b"Name: a\nVersion: 1.0\nRequires-Python: >=3.8\n"
CONTENT = PackageContent("ab" * 32, METADATA)
OTHER_CONTENT = PackageContent("cd" * 32, None)
RECORD = PackageRecord("ab" * 32, 3, 10, hashlib.sha256(METADATA).hexdigest(), ">=3.8")


def test_a_new_store_over_the_same_root_still_knows_them(tmp_path: Path) -> None:
    assert RecordStore(tmp_path).put("a.whl", KEY, CONTENT) == RECORD

    assert RecordStore(tmp_path).get("a.whl", KEY) == RECORD
    assert RecordStore(tmp_path).metadata("a.whl") == METADATA


@pytest.mark.parametrize("field", FileKey._fields)
def test_a_record_counts_for_one_state_of_the_file_only(tmp_path: Path, field: str) -> None:
    store = RecordStore(tmp_path)
    store.put("a.whl", KEY, CONTENT)

    assert store.get("a.whl", KEY._replace(**{field: 99})) is None


@pytest.mark.parametrize("name", ["sub/a b#1.whl", "n" * 255, "caf\udce9-1.0.tar.gz", "a\n.whl"])
def test_any_path_a_file_system_allows_has_a_record_of_its_own(tmp_path: Path, name: str) -> None:
    store = RecordStore(tmp_path)
    kept = store.put(name, KEY, CONTENT)
    other = store.put("other.whl", KEY, OTHER_CONTENT)

    assert store.get(name, KEY) == kept
    store.remove(name)
    assert store.get(name, KEY) is None
    assert store.get("other.whl", KEY) == other


def test_the_metadata_of_a_wheel_alone_is_kept(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    store.put("a.whl", KEY, OTHER_CONTENT)
    record = store.put("a.tar.gz", KEY, CONTENT)

    assert record == RECORD._replace(metadata_sha256=None)
    assert [store.metadata(name) for name in ("a.whl", "a.tar.gz", "unknown.whl")] == [None, None, None]


def test_the_python_versions_of_the_form_are_for_a_package_that_tells_none_itself(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)

    assert store.put("a.zip", KEY, OTHER_CONTENT, claimed_python=">=3.9").requires_python == ">=3.9"
    assert store.put("b.zip", KEY, CONTENT, claimed_python=">=3.9").requires_python == ">=3.8"
    # Nor are they lost where the file is read again.
    moved = KEY._replace(inode=31)
    assert store.put("a.zip", moved, OTHER_CONTENT).requires_python == ">=3.9"


def test_a_copy_of_the_same_content_keeps_the_time_of_its_upload(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    store.put("a.whl", KEY, CONTENT)
    restored = FileKey(3, 1_000, 1_000, 77)

    assert store.put("a.whl", restored, CONTENT) == RECORD
    assert store.get("a.whl", restored) == RECORD
    assert store.metadata("a.whl") == METADATA
    assert store.put("a.whl", restored, OTHER_CONTENT) == PackageRecord("cd" * 32, 3, 1_000, None, None)
    assert store.metadata("a.whl") is None


def test_metadata_that_a_crash_tore_is_read_again(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    store.put("a.whl", KEY, CONTENT)
    (path,) = (tmp_path / ".digests").iterdir()
    path.write_bytes(path.read_bytes()[:-3])

    assert store.get("a.whl", KEY) is None
    assert store.metadata("a.whl") is None
    assert store.put("a.whl", KEY, CONTENT) == RECORD
    assert store.metadata("a.whl") == METADATA


@pytest.mark.parametrize(
    "torn",
    [
        b"",
        b'{"key": [3, 10',
        b"[]\n",
        b'{"key": [1], "sha256": "", "metadata_sha256": null}',
        b'{"key": [3, 10, 20, 30], "sha256": "ab", "metadata_sha256": null}\n',  # as an earlier release wrote it
        b'{"key": [3, 10, 20, 30], "sha256": "ab", "size_bytes": 3, "upload_time_ns": "10", "metadata_sha256": null, '
        b'"requires_python": null, "project": null}\n',
        b"[" * 100_000,
    ],
)
def test_a_torn_record_is_as_good_as_none(tmp_path: Path, torn: bytes) -> None:
    store = RecordStore(tmp_path)
    store.put("a.whl", KEY, CONTENT)
    (record,) = (tmp_path / ".digests").iterdir()
    record.write_bytes(torn)

    assert store.get("a.whl", KEY) is None


def test_nothing_is_left_in_the_root_but_the_records(tmp_path: Path) -> None:
    store = RecordStore(tmp_path)
    store.put("a.whl", KEY, CONTENT)
    store.put("a.whl", KEY, CONTENT)
    store.clock_ns()

    assert [path.name for path in tmp_path.iterdir()] == [".digests"]
    assert len(list((tmp_path / ".digests").iterdir())) == 1


def test_where_no_folder_can_be_made_there_are_no_records_and_no_errors(tmp_path: Path) -> None:
    (tmp_path / ".digests").write_text("in the way")
    store = RecordStore(tmp_path)

    assert store.put("a.whl", KEY, CONTENT) == RECORD._replace(metadata_sha256=None)
    store.remove("a.whl")

    assert store.get("a.whl", KEY) is None
    assert store.clock_ns() is None


def test_a_directory_that_not_even_root_may_write_to_is_no_error() -> None:
    store = RecordStore(Path("/proc/self"))
    store.put("a.whl", KEY, CONTENT)
    assert store.get("a.whl", KEY) is None
    assert store.clock_ns() is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_directory_is_no_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        store = RecordStore(tmp_path)
        store.put("a.whl", KEY, CONTENT)
        assert store.get("a.whl", KEY) is None
    finally:
        tmp_path.chmod(0o755)


def test_the_clock_is_the_one_that_dates_files(tmp_path: Path) -> None:
    clock_ns = RecordStore(tmp_path).clock_ns()
    (tmp_path / "later").touch()

    assert clock_ns is not None
    assert clock_ns <= (tmp_path / "later").stat().st_ctime_ns


def test_a_package_is_read_with_the_key_of_what_was_read(tmp_path: Path) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as made:
        made.writestr("large", bytes(3_000_000))
        made.writestr("a-1.0.dist-info/METADATA", METADATA)
    package = tmp_path / "a-1.0-py3-none-any.whl"
    package.write_bytes(written.getvalue())

    assert read_package(str(package), package.name, SystemCalls()) == (
        FileKey.of(package.stat()),
        PackageContent(hashlib.sha256(written.getvalue()).hexdigest(), METADATA),
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

    read = read_package(str(package), package.name, GrowingFile(package, times=2))

    content = PackageContent(hashlib.sha256(b"startmoremore").hexdigest(), None)
    assert read == (FileKey.of(package.stat()), content)


def test_a_file_that_never_holds_still_has_no_digest(tmp_path: Path) -> None:
    package = tmp_path / "a.whl"
    package.write_bytes(b"start")

    assert read_package(str(package), package.name, GrowingFile(package, times=100)) is None
