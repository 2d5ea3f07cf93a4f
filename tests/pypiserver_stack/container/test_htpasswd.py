"""The users' file: what a line may hold, and how changes of the file are seen."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from credentials import NotNowError
from hypothesis import example, given
from hypothesis import strategies as st

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # passlib imports `crypt`, which Python 3.13 no longer has
    from htpasswd import KEEP_S, LOOK_S, SIZE_LIMIT_BYTES, UserFile, Users, matches

# As openssl passwd and the C library's crypt() make them; what neither can, as passlib itself does.
KNOWN_HASHES = {
    "bcrypt 2a": ("U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    "bcrypt 2y": ("password", "$2y$05$c4WoMPo3SXsafkva.HHa6uyvdTqVqeGuuv76QmS.t1ryNDtvJiOyS"),
    "apr1": ("myPassword", "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"),
    "sha1": ("myPassword", "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE="),
    "des": ("myPassword", "rqXexS6ZhobKA"),
    "sha512": (
        "Hello world!",
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ),
    "sha256": ("Hello world!", "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5"),
    "md5": ("password", "$1$5pZSV9va$azfrPr6af3Fc7dLblQXVa0"),
    "bcrypt_sha256": ("s3cret", "$bcrypt-sha256$v=2,t=2b,r=4$nT4R3mfB2hcnPeeA34813.$Hrrp91iDlUhlH.gTPAFII9RcRnBnQnW"),
    "scrypt": (
        "s3cret",
        "$scrypt$ln=4,r=8,p=1$ScnZW2tNSUkpJSSEkJIyRg$JwbhedWBIq9SKWKmENsX7l4dmZ3wEJlqUFKhcyMObE4",
    ),
    "pbkdf2_sha512": (
        "s3cret",
        "$pbkdf2-sha512$10$JcQ4R.jdG4PwnhMCYMzZ.w$xbAqNSS4Vk1wJs/Pvp1UsXMKYkfLUdq2aJxnF/vzXYGZ2lCfSsdZqnw7IQqPEEcfHf6rw1S4cgFyWgQcPisQGQ",
    ),
    "pbkdf2_sha256": ("s3cret", "$pbkdf2-sha256$10$0vo/5/w/ZyzlnJNS6h0D4A$8jTIYZ/Kxo4lZk75JT86Th7boGQAtQTKnH848RdrCAA"),
    "pbkdf2_sha1": ("s3cret", "$pbkdf2$10$IKS0ltI657x3ztm7dy7lXA$XvgcGk2g8a9Cgw1sCfe5fYkvGUk"),
    "phpass": ("s3cret", "$P$5qUNwU5gbHcFP6a26jEZ4NB1VHxKFf0"),
    "sha1_crypt": ("s3cret", "$sha1$10$7SZ3vPRL$ZRSNHl/ABJrmicGUIKrBf90OZ3ak"),
    "sun_md5_crypt": ("s3cret", "$md5,rounds=1$R8xPEVak$$13xgcGClZKh3aXi.nvat5."),
    "ldap_salted_sha512": (
        "s3cret",
        "{SSHA512}3L9piRqFqWuAQCvb7aizuUtCT2VVhWqIYOrPK4pY+x5e/otKn8zCQ0f2vbGpyTZ+dSnk21qsvOeVz4CkQQLr4YnxnhOCEMKY",
    ),
    "ldap_salted_sha256": ("s3cret", "{SSHA256}7UPCyXxZ2QyBdyHC5eBlYXpP5KrdyS4wzBm2n/jPWOeek3Ku1TqHMA=="),
    "ldap_salted_sha1": ("s3cret", "{SSHA}AwEhXjrRq4al6CvKT9iBfJvgtxoupdQa"),
    "ldap_salted_md5": ("s3cret", "{SMD5}IPxtrqTN4SY0fb72OTVcUH6PUao="),
    "ldap_md5": ("s3cret", "{MD5}M+GyMqTm+gAopmcHU3SaFw=="),
}


@dataclass
class Clock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def pause(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".htpasswd"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(path: Path, clock: Clock) -> UserFile:
    return UserFile(path, clock=clock, pause=clock.pause)


def line(username: str, password: str) -> str:
    return f"{username}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}\n"


def accepts(file: UserFile, username: str, password: str) -> bool:
    return file.check(username, password, {})


class TestLines:
    @pytest.mark.parametrize(("password", "stored"), KNOWN_HASHES.values(), ids=KNOWN_HASHES)
    def test_a_known_hash(self, password: str, stored: str) -> None:
        users = Users.parse(f"alice:{stored}\n".encode())
        assert users.ignored_lines == []
        assert users.stored("alice") == (stored, True)
        assert matches(password, stored)
        assert not matches("x" + password, stored)
        assert not matches("", stored)
        assert not matches(stored, stored)

    @pytest.mark.parametrize(
        "stored",
        [
            "",
            "plain",
            "correct horse",
            "!",
            "*",
            "{PLAIN}secret",
            "$7$of-tomorrow$abcdefgh",
            "$argon2id$v=19$m=65536,t=3,p=4$broken",
            "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRq",  # a character short
            "$2y$99$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC",
            "$6$rounds=x$saltstring$svn8",
        ],
    )
    def test_what_cannot_be_checked_is_no_password_in_clear(self, stored: str) -> None:
        users = Users.parse(f"alice:{stored}\n{line('bob', 'right')}".encode())
        assert list(users.hashes) == ["bob"]
        assert users.ignored_lines == [1]
        assert users.stored("alice")[1] is False

    def test_one_bad_line_spoils_no_other(self) -> None:
        alice, bob, later = line("alice", "a"), line("bob", "b"), line("alice", "later")
        content = b"\xef\xff:x\n# a comment\n\n  \nno colon\n" + f":{alice}{alice}{bob.strip()}\r\n{later}".encode()
        users = Users.parse(content)
        assert users.ignored_lines == [1, 5, 6, 9]
        assert set(users.hashes) == {"alice", "bob"}
        assert matches("a", users.hashes["alice"])  # the first line of a name counts, as in Apache
        assert matches("b", users.hashes["bob"])

    def test_names_that_are_not_ascii(self) -> None:
        assert list(Users.parse(line("zo\u00eb", "x").encode()).hashes) == ["zo\u00eb"]

    prefixes = st.sampled_from(["$2y$", "$6$", "$5$", "$apr1$", "$argon2id$", "$scrypt$", "$P$", "{SSHA}", "{SHA512}"])

    @given(st.one_of(st.binary(), st.builds(lambda prefix, rest: f"a:{prefix}{rest}".encode(), prefixes, st.text())))
    @example(b"a:$P$")
    def test_no_file_raises(self, content: bytes) -> None:
        users = Users.parse(content)
        for stored in users.hashes.values():
            assert matches("password", stored) in (True, False)

    @pytest.mark.parametrize("password", ["nul\0", "x" * 5000, "\udc80", ""])
    def test_a_password_that_the_scheme_cannot_take_is_wrong(self, password: str) -> None:
        assert not matches(password, KNOWN_HASHES["bcrypt 2y"][1])


class TestUnknownNames:
    CONTENT = "".join(f"user{number}:{{SHA}}VBPuJHI7uixaa6LQGWx4s+5GKN{'AEIMQUYc'[number]}=\n" for number in range(4))

    def test_each_costs_what_some_user_costs(self) -> None:
        users = Users.parse(self.CONTENT.encode())
        picked = Counter(users.stored(f"nobody{number}") for number in range(400))
        assert {stored for stored, _ in picked} == set(users.hashes.values())
        assert {known for _, known in picked} == {False}
        assert min(picked.values()) > 40

    def test_it_is_the_same_one_in_every_task_and_another_file_tells_nothing_about_it(self) -> None:
        here, there = Users.parse(self.CONTENT.encode()), Users.parse(self.CONTENT.encode())
        other = Users.parse(f"# another\n{self.CONTENT}".encode())
        names = [f"nobody{number}" for number in range(50)]
        assert [here.stored(name) for name in names] == [there.stored(name) for name in names]
        assert [here.stored(name) for name in names] != [other.stored(name) for name in names]

    def test_nobody_gets_in_by_a_name_that_borrowed_his_hash(self, file: UserFile, path: Path) -> None:
        path.write_text(line("alice", "right"))
        assert file.users().stored("nobody")[0] == file.users().hashes["alice"]
        assert accepts(file, "alice", "right")
        assert not accepts(file, "nobody", "right")
        assert not accepts(file, "\ud800", "right")

    def test_a_file_without_users_lets_nobody_in(self, file: UserFile, path: Path) -> None:
        path.write_text("# none yet\n")
        assert not accepts(file, "alice", "")


class TestChanges:
    def test_a_changed_password_counts_after_the_next_look(self, file: UserFile, path: Path, clock: Clock) -> None:
        path.write_text(line("alice", "old") + line("bob", "b"))
        assert accepts(file, "alice", "old")
        path.write_text(line("alice", "new"))
        clock.now_s += LOOK_S
        assert not accepts(file, "alice", "old")
        assert accepts(file, "alice", "new")
        assert not accepts(file, "bob", "b")

    def test_a_change_that_leaves_size_times_and_inode_is_seen(self, file: UserFile, path: Path, clock: Clock) -> None:
        path.write_text(line("alice", "old"))
        before = path.stat()
        assert accepts(file, "alice", "old")
        path.write_text(line("alice", "new"))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        after = path.stat()
        assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
        clock.now_s += LOOK_S
        assert not accepts(file, "alice", "old")

    def test_between_looks_the_file_is_left_alone(self, path: Path, clock: Clock) -> None:
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

    def test_a_file_that_is_being_rewritten_in_place_is_waited_for(self, path: Path, clock: Clock) -> None:
        whole = line("alice", "a") + line("bob", "b")
        parts = iter([whole[:20], whole[:80], whole, whole])
        path.write_text("")

        def pause(seconds: float) -> None:
            clock.pause(seconds)
            path.write_text(next(parts))

        file = UserFile(path, clock=clock, pause=pause)
        assert set(file.users().hashes) == {"alice", "bob"}

    def test_a_file_that_never_rests_is_taken_as_it_is_within_a_second_or_so(self, path: Path, clock: Clock) -> None:
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
        self, file: UserFile, path: Path, clock: Clock
    ) -> None:
        path.write_text(line("alice", "a"))
        assert accepts(file, "alice", "a")
        started_s = clock.now_s
        path.unlink()
        while clock.now_s - started_s <= KEEP_S - 1:
            assert accepts(file, "alice", "a")
            clock.now_s += 1
        clock.now_s = started_s + KEEP_S + 0.001
        with pytest.raises(NotNowError, match="the list of users cannot be read") as refused:
            accepts(file, "alice", "a")
        assert refused.value.status == "503 Service Unavailable"
        assert refused.value.retry_after_s >= 1
        path.write_text(line("alice", "a"))
        clock.now_s += LOOK_S
        assert accepts(file, "alice", "a")

    def test_after_a_long_rest_the_last_state_does_not_count(self, file: UserFile, path: Path, clock: Clock) -> None:
        path.write_text(line("alice", "a"))
        assert accepts(file, "alice", "a")
        path.unlink()
        clock.now_s += 3600
        with pytest.raises(NotNowError):
            accepts(file, "alice", "a")

    def test_a_file_that_was_never_there(self, file: UserFile) -> None:
        with pytest.raises(NotNowError):
            accepts(file, "alice", "a")

    def test_neither_a_folder_nor_a_huge_file_is_read(self, path: Path, clock: Clock) -> None:
        with pytest.raises(NotNowError):
            UserFile(path.parent, clock=clock).users()
        with path.open("wb") as huge:
            huge.truncate(SIZE_LIMIT_BYTES + 1)
        with pytest.raises(NotNowError):
            UserFile(path, clock=clock).users()


class TestLog:
    def test_one_line_for_each_change_and_each_failure(
        self, file: UserFile, path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
    ) -> None:
        def messages_of(seconds: int) -> list[str]:
            caplog.clear()
            for _ in range(seconds):
                clock.now_s += 1
                with contextlib.suppress(NotNowError):
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
