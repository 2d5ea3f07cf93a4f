"""A package is there whole or not at all, whoever dies, fails or hurries; and nothing is left over."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from pypiserver_stack.container.base.core_metadata import core_metadata
from pypiserver_stack.container.base.offload import offload
from pypiserver_stack.container.base.project_folders import BY_PROJECT
from pypiserver_stack.container.base.records import FileKey, PackageRecord, RecordStore
from pypiserver_stack.container.base.yanks import INCOMING
from pypiserver_stack.container.files import package_store
from pypiserver_stack.container.files.package_store import STALE_S, PackageStore, StoreError
from tests.pypiserver_stack.container.open_files import open_files

NAME = "project-1.0.tar.gz"
FOLDER = "by-project/project"
STORED = f"{FOLDER}/{NAME}"
CONTENT = bytes(range(256)) * 4000  # as DIE below writes it, in two halves


@pytest.fixture
def store(tmp_path: Path) -> PackageStore:
    return PackageStore(tmp_path, RecordStore(tmp_path))


def upload(store: PackageStore, name: str, content: bytes, *, overwrite: bool = False) -> str:
    with store.incoming() as incoming:
        for start in range(0, len(content), 100_000):
            incoming.write(content[start : start + 100_000])
        metadata = incoming.read(lambda file: core_metadata(file, name))
        incoming.publish(name, "project", metadata=metadata, overwrite=overwrite)
    return incoming.sha256


def left_over(root: Path) -> list[str]:
    return sorted(path.name for path in (root / INCOMING).iterdir())


def shown(root: Path) -> list[str]:
    """Names of files, wherever they lie, that listings could show."""
    paths = [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
    return sorted(path.name for path in paths if not path.parts[0].startswith("."))


def test_a_published_package_is_whole_and_alone(tmp_path: Path, store: PackageStore) -> None:
    sha256 = upload(store, NAME, CONTENT)
    assert (tmp_path / STORED).read_bytes() == CONTENT
    assert sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert (shown(tmp_path), left_over(tmp_path)) == ([NAME], [])
    assert (tmp_path / STORED).stat().st_nlink == 1


def test_an_empty_package_is_one(tmp_path: Path, store: PackageStore) -> None:
    assert upload(store, NAME, b"") == hashlib.sha256().hexdigest()
    assert (tmp_path / STORED).read_bytes() == b""


@pytest.mark.parametrize("overwrite", [False, True])
def test_its_record_is_kept_and_holds_for_the_file_as_it_lies_there(tmp_path: Path, overwrite: bool) -> None:
    records = RecordStore(tmp_path)
    sha256 = upload(PackageStore(tmp_path, records), NAME, CONTENT, overwrite=overwrite)
    key = FileKey.of((tmp_path / STORED).stat())
    assert records.get(STORED, key) == PackageRecord(sha256, len(CONTENT), key.mtime_ns)


def test_the_metadata_of_a_wheel_is_kept_with_its_record(tmp_path: Path) -> None:
    wheel, metadata = io.BytesIO(), b"Name: project\nVersion: 1.0\n"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr("project-1.0.dist-info/METADATA", metadata)
    records, name = RecordStore(tmp_path), "project-1.0-py3-none-any.whl"
    sha256 = upload(PackageStore(tmp_path, records), name, wheel.getvalue())
    kept = records.get(f"{FOLDER}/{name}", FileKey.of((tmp_path / FOLDER / name).stat()))
    assert kept is not None
    assert (kept.sha256, kept.metadata_sha256) == (sha256, hashlib.sha256(metadata).hexdigest())
    assert records.metadata(f"{FOLDER}/{name}") == metadata


def test_it_has_the_mode_that_a_file_written_in_place_would_have(tmp_path: Path, store: PackageStore) -> None:
    for mask in (0o022, 0o077, 0o027):
        before = os.umask(mask)
        try:
            upload(store, f"project-{mask}.tar.gz", b"")
            (tmp_path / "plain").write_bytes(b"")
        finally:
            os.umask(before)
        assert (tmp_path / FOLDER / f"project-{mask}.tar.gz").stat().st_mode == (tmp_path / "plain").stat().st_mode
        (tmp_path / "plain").unlink()


def test_a_taken_name_is_refused_and_what_has_it_stays(tmp_path: Path, store: PackageStore) -> None:
    upload(store, NAME, b"first")
    with pytest.raises(FileExistsError):
        upload(store, NAME, b"second")
    assert (tmp_path / STORED).read_bytes() == b"first"
    assert left_over(tmp_path) == []


def test_overwriting_replaces_it_whole_for_those_who_read_it_too(tmp_path: Path, store: PackageStore) -> None:
    upload(store, NAME, b"first")
    with (tmp_path / STORED).open("rb") as reader:
        upload(store, NAME, b"second", overwrite=True)
        assert reader.read() == b"first"
    assert (tmp_path / STORED).read_bytes() == b"second"
    assert left_over(tmp_path) == []


def test_no_directory_changes_but_the_folder_of_the_project_and_that_one_once(
    tmp_path: Path, store: PackageStore
) -> None:
    """Nobody has to read another directory again, and nobody this one while a package comes in."""
    store.prepare()
    root, folders = tmp_path.stat(), (tmp_path / BY_PROJECT).stat()
    upload(store, NAME, b"first")
    assert tmp_path.stat() == root
    assert (tmp_path / BY_PROJECT).stat().st_ctime_ns > folders.st_ctime_ns
    folders, folder = (tmp_path / BY_PROJECT).stat(), (tmp_path / FOLDER).stat()
    with store.incoming() as incoming:
        incoming.write(CONTENT)
        assert (tmp_path / FOLDER).stat() == folder
        incoming.publish("project-2.0.tar.gz", "project", overwrite=False)
    assert (tmp_path / FOLDER).stat().st_ctime_ns > folder.st_ctime_ns
    assert (tmp_path.stat(), (tmp_path / BY_PROJECT).stat()) == (root, folders)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_store_without_folders_has_them_at_the_root(tmp_path: Path, overwrite: bool) -> None:
    upload(PackageStore(tmp_path, RecordStore(tmp_path), by_project=False), NAME, CONTENT, overwrite=overwrite)
    assert shown(tmp_path) == [NAME]
    assert (tmp_path / NAME).read_bytes() == CONTENT


@pytest.mark.parametrize("by_project", [False, True])
@pytest.mark.parametrize("places", [[NAME], [STORED], [NAME, STORED]])
def test_overwriting_leaves_one_file_of_a_name_wherever_it_lay(
    tmp_path: Path, by_project: bool, places: list[str]
) -> None:
    (tmp_path / FOLDER).mkdir(parents=True)
    for place in places:
        (tmp_path / place).write_bytes(b"older")
    store = PackageStore(tmp_path, RecordStore(tmp_path), by_project=by_project)
    with pytest.raises(FileExistsError):
        upload(store, NAME, CONTENT)
    upload(store, NAME, CONTENT, overwrite=True)
    assert shown(tmp_path) == [NAME]
    assert (tmp_path / places[0]).read_bytes() == CONTENT
    assert (tmp_path / FOLDER).exists() == (STORED in places[:1] or NAME not in places or len(places) == 1)


def test_a_signature_lies_beside_its_package(tmp_path: Path, store: PackageStore) -> None:
    (tmp_path / NAME).write_bytes(b"copied")
    upload(store, f"{NAME}.asc", b"signature")
    upload(store, "project-2.0.tar.gz", b"uploaded")
    upload(store, "project-2.0.tar.gz.asc", b"signature")
    assert (tmp_path / f"{NAME}.asc").exists()
    assert (tmp_path / FOLDER / "project-2.0.tar.gz.asc").exists()


@pytest.mark.parametrize("linked", [BY_PROJECT, FOLDER])
def test_nothing_is_stored_through_a_link_that_no_listing_follows(
    tmp_path: Path, store: PackageStore, linked: str
) -> None:
    (tmp_path / "elsewhere" / "project").mkdir(parents=True)
    (tmp_path / linked).parent.mkdir(exist_ok=True)
    (tmp_path / linked).symlink_to(tmp_path / "elsewhere" / ("project" if linked == FOLDER else ""))
    with pytest.raises(StoreError, match="a symbolic link, which no listing follows"):
        upload(store, NAME, CONTENT)
    assert shown(tmp_path) == []


def test_a_folder_that_is_removed_with_its_last_file_is_made_again(
    tmp_path: Path, store: PackageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(store, NAME, b"first")
    link = os.link

    def removed_just_before(*arguments: object, **named: object) -> None:
        monkeypatch.setattr(os, "link", link)
        (tmp_path / STORED).unlink()
        (tmp_path / FOLDER).rmdir()
        link(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", removed_just_before)
    upload(store, "project-2.0.tar.gz", b"second")
    assert shown(tmp_path) == ["project-2.0.tar.gz"]


def test_what_is_not_published_is_gone(tmp_path: Path, store: PackageStore) -> None:
    with store.incoming() as incoming:
        incoming.write(CONTENT)
    with contextlib.suppress(ConnectionResetError), store.incoming() as incoming:
        incoming.write(CONTENT)
        raise ConnectionResetError
    assert (shown(tmp_path), left_over(tmp_path)) == ([], [])


def test_of_many_uploads_of_one_name_exactly_one_wins(tmp_path: Path) -> None:
    """Each through a store of its own, as different workers have."""
    contents = [bytes([number]) * 50_000 for number in range(20)]
    ready = threading.Barrier(len(contents))  # all are written before the first is published
    won: list[int] = []
    lost: list[int] = []

    def contend(number: int) -> None:
        try:
            with PackageStore(tmp_path, RecordStore(tmp_path)).incoming() as incoming:
                incoming.write(contents[number])
                ready.wait()
                incoming.publish(NAME, "project", overwrite=False)
            won.append(number)
        except FileExistsError:
            lost.append(number)
        finally:
            gevent.get_hub().destroy(destroy_loop=True)

    threads = [threading.Thread(target=contend, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 19)
    assert (tmp_path / STORED).read_bytes() == contents[won[0]]
    assert left_over(tmp_path) == []


def test_uploads_of_different_names_all_succeed_at_once(tmp_path: Path, store: PackageStore) -> None:
    names = [f"project-{number}.0.tar.gz" for number in range(20)]
    uploads = [gevent.spawn(upload, store, name, name.encode() * 10_000) for name in names]
    gevent.joinall(uploads, raise_error=True)
    assert shown(tmp_path) == sorted(names)
    assert all((tmp_path / FOLDER / name).read_bytes() == name.encode() * 10_000 for name in names)
    assert left_over(tmp_path) == []


def test_other_greenlets_run_while_a_file_call_waits(store: PackageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file call ends only once another greenlet has run."""
    went_on = threading.Event()
    fsync = os.fsync

    def slow(descriptor: int) -> None:
        assert went_on.wait(60)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    other = gevent.spawn(went_on.set)
    upload(store, NAME, CONTENT)
    other.join()


def test_uploads_leave_threads_to_those_who_read(store: PackageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """More uploads than gevent has threads wait for the disk; another file call ends all the same."""
    another = threading.Event()
    fsync = os.fsync

    def slow(descriptor: int) -> None:
        assert another.wait(20)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", slow)
    uploads = [gevent.spawn(upload, store, f"project-{number}.0.zip", CONTENT) for number in range(12)]
    for _ in range(500):  # time to fill every thread they can get
        offload(int)
    offload(another.set)
    gevent.joinall(uploads, raise_error=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_nobody_ever_sees_a_part_of_a_package(tmp_path: Path, store: PackageStore, overwrite: bool) -> None:
    """A reader that never rests opens whatever is listed: each file is complete from the moment it has a name."""
    expected = {hashlib.sha256(bytes([number]) * 300_000).digest() for number in range(30)}
    torn: list[str] = []
    looks = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal looks
        while not done.is_set():
            looks += 1
            torn.extend(
                name
                for name in shown(tmp_path)
                if hashlib.sha256((tmp_path / FOLDER / name).read_bytes()).digest() not in expected
            )

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(30):
        name = NAME if overwrite else f"project-{number}.tar.gz"
        upload(store, name, bytes([number]) * 300_000, overwrite=overwrite)
    done.set()
    watcher.join()
    assert torn == []
    assert looks > 0


# Where the file system fails


OUTGROW = """
import resource, sys
from pathlib import Path
from pypiserver_stack.container.base.records import RecordStore
from pypiserver_stack.container.files.package_store import PackageStore, StoreError

root = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with PackageStore(root, RecordStore(root)).incoming() as incoming:
        for _ in range(10):
            incoming.write(bytes(50_000))
        incoming.publish("project-1.0.tar.gz", "project", overwrite=False)
except StoreError as error:
    print(error.errno)
"""


def test_a_file_that_may_not_grow_leaves_nothing(tmp_path: Path, store: PackageStore) -> None:
    """A real limit on the size of files, in the kernel: the nearest to a full disk that needs no rights."""
    ended = subprocess.run(
        [sys.executable, "-c", OUTGROW, str(tmp_path)], stdout=subprocess.PIPE, text=True, check=True
    )
    assert ended.stdout == f"{errno.EFBIG}\n"
    assert (shown(tmp_path), left_over(tmp_path)) == ([], [])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte. Mounting needs rights that not every machine gives."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_full_disk_keeps_what_it_had_and_nothing_else(small_disk: Path) -> None:
    store = PackageStore(small_disk, RecordStore(small_disk))
    upload(store, NAME, b"first")
    with pytest.raises(StoreError) as failure:
        upload(store, "large-1.0.tar.gz", CONTENT * 2)
    assert failure.value.errno == errno.ENOSPC
    assert (shown(small_disk), left_over(small_disk)) == ([NAME], [])
    assert (small_disk / STORED).read_bytes() == b"first"
    upload(store, "small-1.0.tar.gz", b"there is room again")


def test_a_read_only_disk_takes_nothing_and_keeps_what_it_had(small_disk: Path) -> None:
    store = PackageStore(small_disk, RecordStore(small_disk))
    upload(store, NAME, b"first")
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StoreError) as failure:
        upload(store, "other-1.0.tar.gz", CONTENT)
    assert failure.value.errno == errno.EROFS
    assert (small_disk / STORED).read_bytes() == b"first"


def test_a_root_that_is_gone_is_a_failure_of_the_store(tmp_path: Path) -> None:
    root = tmp_path / "gone"
    with pytest.raises(StoreError) as failure:
        upload(PackageStore(root, RecordStore(root)), NAME, CONTENT)
    assert failure.value.errno == errno.ENOENT


@pytest.mark.parametrize("call", ["fsync", "link", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.EROFS])
def test_whichever_call_fails_nothing_is_published_or_left(
    tmp_path: Path, store: PackageStore, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StoreError) as failure:
        upload(store, NAME, CONTENT, overwrite=call == "replace")
    assert failure.value.errno == number
    assert (shown(tmp_path), left_over(tmp_path)) == ([], [])


def test_a_project_whose_first_package_fails_leaves_no_folder(
    tmp_path: Path, store: PackageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def fail(source: Path, target: Path) -> None:
        if (tmp_path / FOLDER).exists():
            raise OSError(errno.EDQUOT, "full")
        link(source, target)

    monkeypatch.setattr(os, "link", fail)
    with pytest.raises(StoreError):
        upload(store, NAME, CONTENT)
    assert list((tmp_path / BY_PROJECT).iterdir()) == []


def test_no_file_stays_open(tmp_path: Path, store: PackageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    upload(store, NAME, CONTENT)  # the threads of the pool are there
    before = open_files()
    for number in range(5):
        upload(store, f"other-{number}.tar.gz", CONTENT)
        with pytest.raises(FileExistsError):
            upload(store, NAME, CONTENT)
        with store.incoming() as incoming:
            incoming.write(CONTENT)
    monkeypatch.setattr(os, "fsync", _fails)
    with pytest.raises(StoreError):
        upload(store, "another-1.0.tar.gz", CONTENT)
    assert open_files() == before


def _fails(*_: object) -> None:
    raise OSError(errno.EIO, "no")


# What the dead leave behind


DIE = """
import os, signal, sys
from pathlib import Path
from pypiserver_stack.container.base.records import RecordStore
from pypiserver_stack.container.files.package_store import PackageStore

root, step, overwrite = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "True"

def counted(name):
    original = getattr(os, name)
    def call(*arguments, **options):
        global step
        if step == 0:
            print(name, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        step -= 1
        return original(*arguments, **options)
    setattr(os, name, call)

for name in ("mkdir", "fstat", "fsync", "link", "replace", "rename", "unlink", "open"):
    counted(name)
with PackageStore(root, RecordStore(root)).incoming() as incoming:
    incoming.write(bytes(range(256)) * 2000)
    os.open("/dev/null", os.O_RDONLY)  # a step in the middle of the data
    incoming.write(bytes(range(256)) * 2000)
    incoming.publish("project-1.0.tar.gz", "project", overwrite=overwrite)
"""


@pytest.mark.parametrize("overwrite", [False, True])
def test_whoever_is_killed_leaves_the_whole_package_or_none(tmp_path: Path, overwrite: bool) -> None:
    """A process is killed before each of its file calls in turn."""
    died_before: list[str] = []
    outcomes: list[bool] = []
    for step in range(100):
        root = tmp_path / str(step)
        root.mkdir()
        ended = subprocess.run(
            [sys.executable, "-c", DIE, str(root), str(step), str(overwrite)],
            stdout=subprocess.PIPE,
            text=True,
        )
        published = shown(root)
        assert published in ([], [NAME])
        assert all((root / FOLDER / name).read_bytes() == CONTENT for name in published)
        outcomes.append(published == [NAME])
        # The next one finds nothing in its way.
        upload(PackageStore(root, RecordStore(root)), NAME, b"next", overwrite=True)
        assert (root / STORED).read_bytes() == b"next"
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
        died_before.append(ended.stdout.strip())
    assert {"fsync", "replace" if overwrite else "link", "fstat", "open"} <= set(died_before)
    # Published by one call, and by none before it; durable before, and the directory after.
    publishing = len(died_before) - 1 - died_before[::-1].index("replace" if overwrite else "link")
    assert outcomes.index(True) == publishing + 1
    assert "fsync" in died_before[:publishing]
    assert "fsync" in died_before[publishing:]
    assert all(outcomes[outcomes.index(True) :])


def _age(path: Path, age_s: float) -> None:
    os.utime(path, (time.time() - age_s,) * 2)


def test_what_the_dead_left_is_removed_and_the_living_are_not_disturbed(tmp_path: Path) -> None:
    mine = PackageStore(tmp_path, RecordStore(tmp_path))
    with mine.incoming() as living:
        living.write(CONTENT)
        for name, age_s in {"dead": STALE_S + 60, "slow": STALE_S - 60}.items():
            (tmp_path / INCOMING / name).write_bytes(b"left over")
            _age(tmp_path / INCOMING / name, age_s)
        # A task that has just started cleans with its first upload.
        upload(PackageStore(tmp_path, RecordStore(tmp_path)), "other-1.0.tar.gz", b"")
        assert len(left_over(tmp_path)) == 2
        assert "slow" in left_over(tmp_path)
        living.publish(NAME, "project", overwrite=False)
    assert (tmp_path / STORED).read_bytes() == CONTENT


def test_a_worker_cleans_no_more_than_once_an_hour(
    tmp_path: Path, store: PackageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(store, NAME, b"")
    dead = tmp_path / INCOMING / "dead"
    dead.write_bytes(b"left over")
    _age(dead, STALE_S + 60)
    upload(store, "soon-1.0.tar.gz", b"")
    assert dead.exists()
    later_s = time.monotonic() + 3700
    monkeypatch.setattr(package_store, "monotonic", lambda: later_s)
    upload(store, "later-1.0.tar.gz", b"")
    assert not dead.exists()


def test_the_age_is_by_the_clock_of_the_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host whose clock is a year ahead takes nobody's upload for dead."""
    (tmp_path / INCOMING).mkdir()
    (tmp_path / INCOMING / "living").write_bytes(b"")
    ahead_s = time.time() + 365 * 86400
    monkeypatch.setattr(time, "time", lambda: ahead_s)
    upload(PackageStore(tmp_path, RecordStore(tmp_path)), NAME, b"")
    assert left_over(tmp_path) == ["living"]


def test_a_leftover_that_cannot_be_removed_fails_no_upload(tmp_path: Path) -> None:
    dead = tmp_path / INCOMING / "dead"
    (dead / "inside").mkdir(parents=True)
    _age(dead, STALE_S + 60)
    upload(PackageStore(tmp_path, RecordStore(tmp_path)), NAME, b"")
    assert shown(tmp_path) == [NAME]


def test_an_upload_taken_for_dead_fails_and_publishes_nothing(tmp_path: Path, store: PackageStore) -> None:
    with store.incoming() as incoming:
        incoming.write(CONTENT)
        for file in (tmp_path / INCOMING).iterdir():
            file.unlink()
        with pytest.raises(StoreError) as failure:
            incoming.publish(NAME, "project", overwrite=False)
    assert failure.value.errno == errno.ENOENT
    assert list((tmp_path / BY_PROJECT).iterdir()) == []
    assert shown(tmp_path) == []
