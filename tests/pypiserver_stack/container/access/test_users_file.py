"""The users' file while it changes, vanishes and comes back."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from pypiserver_stack.container.access.credentials import RetryLaterError

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # passlib imports `crypt`, which Python 3.13 no longer has
    from pypiserver_stack.container.access.users_file import KEEP_S, LOOK_S, SIZE_LIMIT_BYTES, UserFile


@dataclass
class ManualClock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".htpasswd"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def file(path: Path, clock: ManualClock) -> UserFile:
    return UserFile(path, clock=clock, pause=clock.pause)


def line(username: str, password: str) -> str:
    return f"{username}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}\n"


def accepts(file: UserFile, username: str, password: str) -> bool:
    return file.check(username, password, {})


class TestCheck:
    def test_nobody_gets_in_by_a_name_that_borrowed_his_hash(self, file: UserFile, path: Path) -> None:
        path.write_text(line("alice", "right"))
        assert file.users().stored("nobody")[0] == file.users().hashes["alice"]
        assert accepts(file, "alice", "right")
        assert not accepts(file, "nobody", "right")
        assert not accepts(file, "\ud800", "right")

    def test_a_file_without_users_lets_nobody_in(self, file: UserFile, path: Path) -> None:
        path.write_text("# none yet\n")
        assert not accepts(file, "alice", "")


class TestFileChanges:
    def test_a_changed_password_counts_after_the_next_look(
        self, file: UserFile, path: Path, clock: ManualClock
    ) -> None:
        path.write_text(line("alice", "old") + line("bob", "b"))
        assert accepts(file, "alice", "old")
        path.write_text(line("alice", "new"))
        clock.now_s += LOOK_S
        assert not accepts(file, "alice", "old")
        assert accepts(file, "alice", "new")
        assert not accepts(file, "bob", "b")

    def test_a_change_that_leaves_size_times_and_inode_is_seen(
        self, file: UserFile, path: Path, clock: ManualClock
    ) -> None:
        path.write_text(line("alice", "old"))
        before = path.stat()
        assert accepts(file, "alice", "old")
        path.write_text(line("alice", "new"))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        after = path.stat()
        assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
        clock.now_s += LOOK_S
        assert not accepts(file, "alice", "old")

    def test_between_looks_the_file_is_left_alone(self, path: Path, clock: ManualClock) -> None:
        path.write_text(line("alice", "a"))
        counting = CountingPath(path)
        file = UserFile(counting, clock=clock, pause=clock.pause)
        for _ in range(100):
            file.users()
        assert counting.opened == 2  # the new content had to read the same twice
        clock.now_s += LOOK_S
        for _ in range(100):
            file.users()
        assert counting.opened == 3

    def test_a_file_that_is_being_rewritten_in_place_is_waited_for(self, path: Path, clock: ManualClock) -> None:
        whole = line("alice", "a") + line("bob", "b")
        parts = iter([whole[:20], whole[:80], whole, whole])
        path.write_text("")

        def pause(seconds: float) -> None:
            clock.pause(seconds)
            path.write_text(next(parts))

        file = UserFile(path, clock=clock, pause=pause)
        assert set(file.users().hashes) == {"alice", "bob"}

    def test_a_file_that_never_rests_is_taken_as_it_is_within_a_second_or_so(
        self, path: Path, clock: ManualClock
    ) -> None:
        started_s = clock.now_s
        path.write_text("")

        def pause(seconds: float) -> None:
            clock.pause(seconds)
            with path.open("a") as file:
                file.write("# more\n")

        UserFile(path, clock=clock, pause=pause).users()
        assert 0 < clock.now_s - started_s <= 2

    def test_many_who_ask_at_once_share_a_look(self, path: Path) -> None:
        path.write_text(line("alice", "a"))
        counting, asked, together = CountingPath(path), 0, threading.Event()

        def clock() -> float:
            nonlocal asked
            asked += 1
            if asked == 20 + 2:  # all of them, and twice more the one that looks
                together.set()
            return time.monotonic()

        file = UserFile(counting, clock=clock, pause=lambda _: assert_set(together))
        with ThreadPoolExecutor(20) as threads:
            found = list(threads.map(lambda _: file.users(), range(20)))
        assert len({id(users) for users in found}) == 1
        assert counting.opened == 2


def assert_set(event: threading.Event) -> None:
    assert event.wait(60)


class CountingPath(type(Path())):  # type: ignore[misc]
    """A path that counts how often it is opened."""

    opened = 0

    def open(self, *arguments: Any) -> Any:
        self.opened += 1
        return super().open(*arguments)


class TestUnreadable:
    def test_a_vanished_file_counts_for_a_while_and_then_nobody_is_judged(
        self, file: UserFile, path: Path, clock: ManualClock
    ) -> None:
        path.write_text(line("alice", "a"))
        assert accepts(file, "alice", "a")
        started_s = clock.now_s
        path.unlink()
        while clock.now_s - started_s <= KEEP_S - 1:
            assert accepts(file, "alice", "a")
            clock.now_s += 1
        clock.now_s = started_s + KEEP_S + 0.001
        with pytest.raises(RetryLaterError, match="the list of users cannot be read") as refused:
            accepts(file, "alice", "a")
        assert refused.value.status == "503 Service Unavailable"
        assert refused.value.retry_after_s >= 1
        path.write_text(line("alice", "a"))
        clock.now_s += LOOK_S
        assert accepts(file, "alice", "a")

    def test_after_a_long_rest_the_last_state_does_not_count(
        self, file: UserFile, path: Path, clock: ManualClock
    ) -> None:
        path.write_text(line("alice", "a"))
        assert accepts(file, "alice", "a")
        path.unlink()
        clock.now_s += 3600
        with pytest.raises(RetryLaterError):
            accepts(file, "alice", "a")

    def test_a_file_that_was_never_there(self, file: UserFile) -> None:
        with pytest.raises(RetryLaterError):
            accepts(file, "alice", "a")

    def test_neither_a_folder_nor_a_huge_file_is_read(self, path: Path, clock: ManualClock) -> None:
        with pytest.raises(RetryLaterError):
            UserFile(path.parent, clock=clock).users()
        with path.open("wb") as huge:
            huge.truncate(SIZE_LIMIT_BYTES + 1)
        with pytest.raises(RetryLaterError):
            UserFile(path, clock=clock).users()


class TestLog:
    def test_one_line_for_each_change_and_each_failure(
        self, file: UserFile, path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        def messages_of(seconds: int) -> list[str]:
            caplog.clear()
            for _ in range(seconds):
                clock.now_s += 1
                with contextlib.suppress(RetryLaterError):
                    file.users()
            return [record.getMessage() for record in caplog.records]

        caplog.set_level(logging.INFO)
        assert messages_of(60) == [f"{path}: No such file or directory; what it held counts for 30 s more"]
        path.write_text(line("alice", "a") + "no colon\n" * 100)
        numbers = ", ".join(map(str, range(2, 12)))
        assert messages_of(60) == [f"{path}: 1 users; ignored lines: {numbers}"]
        path.write_text(line("alice", "a"))
        assert messages_of(60) == [f"{path}: 1 users; ignored lines: none"]
        path.rename(path.with_suffix(".away"))
        assert messages_of(60) == [f"{path}: No such file or directory; what it held counts for 30 s more"]
        path.with_suffix(".away").rename(path)
        assert messages_of(60) == [f"{path}: 1 users; ignored lines: none"]

    def test_no_part_of_a_line_is_logged(self, file: UserFile, path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path.write_text("hunter2\nalice:hunter2\nalice:$2y$05$hunter2\nhunter2:\n{SHA}hunter2:alice\n")
        assert not accepts(file, "alice", "hunter2")
        assert caplog.messages
        assert "hunter2" not in caplog.text
        assert "alice" not in caplog.text
