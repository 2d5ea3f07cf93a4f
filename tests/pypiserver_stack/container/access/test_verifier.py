"""One slow hash for each credential: what is remembered, shared, limited and forgotten."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserver_stack.container.access.attempts import BURST, Attempts, client_of
from pypiserver_stack.container.access.credentials import RetryLaterError

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # passlib imports `crypt`, which Python 3.13 no longer has
    from pypiserver_stack.container.access.htpasswd import Users
    from pypiserver_stack.container.access.verified import VerifiedCredentials
    from pypiserver_stack.container.access.verifier import MOST_WAITING, WAIT_S, Verifier


class Hashing:
    """Users whose stored hash is their password between angle brackets, and a record of the hashes made."""

    def __init__(self, **passwords: str) -> None:
        self.made: list[tuple[str, str]] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.set(passwords)

    def set(self, passwords: dict[str, str]) -> None:
        hashes = {username: f"<{password}>" for username, password in passwords.items()}
        self.users = Users(hashes, list(hashes.values()), [], b"key")

    def matches(self, password: str, stored: str) -> bool:
        self.made.append((password, stored))
        self.meanwhile()
        return f"<{password}>" == stored

    def verifier(self, attempts: Attempts | None = None, **arguments: Any) -> Verifier:
        unlimited = Attempts(burst=10**6, refill_s=1)
        return Verifier(lambda: self.users, attempts or unlimited, matches=self.matches, **arguments)


def test_a_right_password_is_hashed_once() -> None:
    hashing = Hashing(alice="a")
    verifier = hashing.verifier()
    assert all(verifier.check("alice", "a", {}) for _ in range(100))
    assert hashing.made == [("a", "<a>")]


def test_a_wrong_password_is_hashed_each_time() -> None:
    hashing = Hashing(alice="a")
    verifier = hashing.verifier()
    assert not any(verifier.check("alice", "b", {}) for _ in range(3))
    assert len(hashing.made) == 3


def test_an_unknown_name_is_hashed_like_a_known_one_and_never_let_in() -> None:
    hashing = Hashing(alice="a")
    verifier = hashing.verifier()
    assert not any(verifier.check("nobody", "a", {}) for _ in range(3))
    assert hashing.made == [("a", "<a>")] * 3


def test_where_there_are_no_users_nothing_is_hashed() -> None:
    hashing = Hashing()
    assert not hashing.verifier().check("alice", "", {})
    assert hashing.made == []


class TestChanges:
    def test_a_changed_password_is_forgotten_and_the_others_are_not(self) -> None:
        hashing = Hashing(alice="a", bob="b")
        verifier = hashing.verifier()
        assert verifier.check("alice", "a", {})
        assert verifier.check("bob", "b", {})
        hashing.set({"alice": "new", "bob": "b"})
        assert not verifier.check("alice", "a", {})
        assert verifier.check("alice", "new", {})
        hashing.made.clear()
        assert verifier.check("bob", "b", {})
        assert hashing.made == []

    def test_a_user_who_is_gone_is_out_though_remembered(self) -> None:
        hashing = Hashing(alice="a", bob="b")
        verifier = hashing.verifier()
        assert verifier.check("alice", "a", {})
        hashing.set({"bob": "b"})
        assert not verifier.check("alice", "a", {})

    def test_a_renamed_user_is_out_under_the_old_name_though_the_hash_is_still_there(self) -> None:
        hashing = Hashing(alice="a")
        verifier = hashing.verifier()
        assert verifier.check("alice", "a", {})
        hashing.set({"alicia": "a"})
        assert not verifier.check("alice", "a", {})
        assert verifier.check("alicia", "a", {})

    def test_a_password_revoked_while_its_hash_runs_is_wrong(self) -> None:
        hashing = Hashing(alice="a")
        verifier = hashing.verifier()
        hashing.meanwhile = lambda: hashing.set({"alice": "new"})
        assert not verifier.check("alice", "a", {})

    steps = st.lists(
        st.tuples(st.sampled_from(["check", "set", "remove"]), st.sampled_from("ab"), st.sampled_from("xyz")),
        max_size=60,
    )

    @given(steps, st.integers(1, 3))
    def test_the_answer_is_always_that_of_the_present_file(self, steps: list[tuple[str, str, str]], sets: int) -> None:
        passwords: dict[str, str] = {}
        hashing = Hashing()
        verifier = hashing.verifier(verified=VerifiedCredentials(sets))
        for step, username, password in steps:
            if step == "check":
                assert verifier.check(username, password, {}) == (passwords.get(username) == password)
            elif step == "set":
                passwords[username] = password
            else:
                passwords.pop(username, None)
            hashing.set(passwords)


class TestMemory:
    def test_what_is_kept_holds_no_password(self) -> None:
        hashing = Hashing(**{f"user{number}": f"s3cret-{number}" for number in range(200)})
        verified = RecordedCredentials()
        verifier = Verifier(lambda: hashing.users, Attempts(), matches=lambda *_: True, verified=verified)
        kept_before = len(reachable(verifier))
        for number in range(200):
            assert verifier.check(f"user{number}", f"s3cret-{number}", {})
        hashing.set({})
        kept = reachable(verifier)
        assert not [text for text in kept if b"s3cret" in text]
        assert len(kept) <= kept_before + len(set(verified.added))
        assert len(set(verified.added)) == 200

    def test_two_tasks_do_not_remember_alike(self) -> None:
        hashing = Hashing(alice="a")
        tasks = [RecordedCredentials(), RecordedCredentials()]
        for verified in tasks:
            assert hashing.verifier(verified=verified).check("alice", "a", {})
        assert tasks[0].added != tasks[1].added

    def test_what_another_worker_of_the_task_has_verified_is_not_hashed_and_never_limited(self) -> None:
        attempts = Attempts(burst=1, refill_s=3600)
        hashing = Hashing(alice="a")
        verifier = hashing.verifier(attempts)
        reading, writing = os.pipe()
        worker = os.fork()
        if worker == 0:
            attempts.take(client_of({}), "alice")
            os.read(reading, 1)
            os._exit(0 if verifier.check("alice", "a", {}) else 1)
        assert verifier.check("alice", "a", {})
        os.write(writing, b"1")
        assert os.waitpid(worker, 0)[1] == 0

    @given(st.text(st.sampled_from("ab1:"), min_size=2, max_size=10), st.data())
    def test_no_other_split_of_the_same_text_is_taken_for_a_verified_one(self, whole: str, data: st.DataObject) -> None:
        cut = st.integers(0, len(whole))
        splits = [sorted(data.draw(st.tuples(cut, cut))) for _ in range(2)]
        credentials = [(whole[:start], whole[start:end], whole[end:]) for start, end in splits]
        hashed: list[str] = []

        def matches(password: str, stored: str) -> bool:
            hashed.append(password)
            return True

        users = Users({}, [], [], b"key")
        verifier = Verifier(lambda: users, Attempts(), matches=matches)
        for username, stored, password in credentials:
            users = Users({username: stored}, [stored], [], b"key")
            assert verifier.check(username, password, {})
        assert len(hashed) == len(set(credentials))


class RecordedCredentials(VerifiedCredentials):
    def __init__(self) -> None:
        super().__init__()
        self.added: list[bytes] = []

    def add(self, digest: bytes) -> None:
        self.added.append(digest)
        super().add(digest)


def reachable(root: object) -> list[bytes]:
    """All texts and bytes that an object keeps alive, functions and modules left aside."""
    found, seen, todo = [], set[int](), [root]
    while todo:
        thing = todo.pop()
        if id(thing) in seen or (callable(thing) and thing is not root):
            continue
        seen.add(id(thing))
        if isinstance(thing, str | bytes):
            found.append(thing.encode() if isinstance(thing, str) else thing)
        todo += gc.get_referents(thing)
    return found


class TestLimit:
    HERE, THERE = {"REMOTE_ADDR": "192.0.2.1"}, {"REMOTE_ADDR": "192.0.2.2"}

    def test_over_the_limit_nothing_is_hashed(self) -> None:
        hashing = Hashing(alice="a")
        verifier = hashing.verifier(Attempts(burst=3, refill_s=3600, groups=1))
        for number in range(3):
            assert not verifier.check("alice", f"guess{number}", self.HERE)
        for username, password in [("alice", "guess"), ("alice", "a"), ("nobody", "a")]:
            with pytest.raises(RetryLaterError) as refused:
                verifier.check(username, password, self.HERE)
            assert (refused.value.status, refused.value.retry_after_s) == ("429 Too Many Requests", 3600)
        assert len(hashing.made) == 3
        assert verifier.check("alice", "a", self.THERE)

    def test_a_verified_credential_is_never_limited(self) -> None:
        verifier = Hashing(alice="a").verifier(Attempts(burst=1, refill_s=3600))
        assert verifier.check("alice", "a", self.HERE)
        assert not verifier.check("alice", "guess", self.HERE)
        with pytest.raises(RetryLaterError):
            verifier.check("alice", "guess", self.HERE)
        assert verifier.check("alice", "a", self.HERE)

    def test_right_passwords_leave_the_bucket_full(self) -> None:
        passwords = {f"user{number}": f"password{number}" for number in range(3 * BURST)}
        verifier = Hashing(**passwords).verifier(Attempts())
        assert all(verifier.check(username, password, self.HERE) for username, password in passwords.items())

    def test_where_users_are_unknown_no_attempt_is_taken(self) -> None:
        readable = False

        def users() -> Users:
            if not readable:
                raise RetryLaterError("503 Service Unavailable", "not now", 3)
            return Hashing(alice="a").users

        verifier = Verifier(users, Attempts(burst=1, refill_s=3600), matches=Hashing().matches)
        for _ in range(10):
            with pytest.raises(RetryLaterError, match="not now"):
                verifier.check("alice", "a", self.HERE)
        readable = True
        assert verifier.check("alice", "a", self.HERE)


def test_beyond_a_number_of_waiting_credentials_others_are_asked_to_come_back() -> None:
    """As if each new hash began before the one before it ended."""
    hashing = Hashing(**{f"user{number}": f"password{number}" for number in range(100)})
    verifier = hashing.verifier()
    verifier._hashing = nullcontext()  # type: ignore[assignment]
    assert verifier.check("user99", "password99", {})
    refused: list[RetryLaterError] = []

    def another() -> None:
        number = len(hashing.made)
        try:
            assert verifier.check(f"user{number}", f"password{number}", {})
        except RetryLaterError as error:
            refused.append(error)
            hashing.meanwhile = lambda: None
            assert verifier.check("user99", "password99", {})  # verified ones go on

    hashing.made.clear()
    hashing.meanwhile = another
    assert verifier.check("user0", "password0", {})
    assert len(hashing.made) == MOST_WAITING
    assert [(error.status, error.retry_after_s) for error in refused] == [("503 Service Unavailable", WAIT_S)]
    assert verifier.check("user50", "password50", {})


class Client:
    def __init__(self, has_gone: bool) -> None:
        self.client_has_gone = has_gone


def test_for_a_client_that_has_gone_nothing_is_hashed_and_no_attempt_counts() -> None:
    hashing = Hashing(alice="a")
    verifier = hashing.verifier(Attempts(burst=1, refill_s=3600))
    for _ in range(3):
        with pytest.raises(RetryLaterError, match="the client has gone") as refused:
            verifier.check("alice", "a", {"gunicorn.socket": Client(has_gone=True)})
        assert refused.value.status == "503 Service Unavailable"
    assert hashing.made == []
    assert verifier.check("alice", "a", {"gunicorn.socket": Client(has_gone=False)})


def test_a_hash_that_fails_is_nobodys_answer_and_blocks_nothing() -> None:
    def broken() -> None:
        raise RuntimeError("no backend")

    hashing = Hashing(alice="a")
    verifier = hashing.verifier()
    hashing.meanwhile = broken
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no backend"):
            verifier.check("alice", "a", {})
    hashing.meanwhile = lambda: None
    assert verifier.check("alice", "a", {})
