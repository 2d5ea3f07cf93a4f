"""Slow hashes beside a running event loop, with gevent patched as in a task."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Hashes that run until the test lets them go, or for ever: were one to run on the event loop, nothing would come after.
GEVENT = """
from gevent import monkey

monkey.patch_all()

import os

import gevent
from pypiserver_stack.container.access.attempts import Attempts
from pypiserver_stack.container.access.htpasswd import Users
from pypiserver_stack.container.access.verifier import Verifier

reading, writing = os.pipe()
made, running, most_running = [], 0, 0

def matches(password, stored):
    global running, most_running
    made.append(password)
    running += 1
    most_running = max(running, most_running)
    if password.startswith("slow"):
        assert os.read(reading, 1)
    running -= 1
    return not password.endswith("wrong")

def started(count):
    while len(made) < count:
        gevent.sleep(0.001)
    for _ in range(10):  # whoever else can run has run
        gevent.sleep(0)

def ask(password):
    return gevent.spawn(verifier.check, "alice", password, {"REMOTE_ADDR": "192.0.2.1"})

users = Users({"alice": "hash"}, ["hash"], [], b"key")
verifier = Verifier(lambda: users, Attempts(), matches=matches)
"""


def with_gevent(body: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", GEVENT + body], capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr


def test_while_a_hash_runs_verified_credentials_go_on() -> None:
    with_gevent(
        """
assert ask("known").get()
slow = ask("slow")
started(2)
for _ in range(1000):
    assert ask("known").get()
assert not slow.ready()
os.write(writing, b"1")
assert slow.get()
"""
    )


@pytest.mark.parametrize("password", ["slow", "slow and wrong"])
def test_a_burst_behind_one_address_shares_one_hash(password: str) -> None:
    with_gevent(
        f"""
burst = [ask({password!r}) for _ in range(510)]
started(1)
assert not any(request.ready() for request in burst)
os.write(writing, b"1")
assert {{request.get() for request in burst}} == {{{not password.endswith("wrong")}}}
assert len(made) == 1
"""
    )


def test_one_hash_runs_at_a_time_in_the_order_of_the_requests() -> None:
    with_gevent(
        """
requests = [ask(f"slow{number}") for number in range(5)]
for number in range(5):
    started(number + 1)
    assert [request.ready() for request in requests] == [True] * number + [False] * (5 - number)
    assert len(made) == number + 1
    os.write(writing, b"1")
    assert requests[number].get()
assert most_running == 1
"""
    )


def test_those_who_wait_for_a_request_that_is_killed_do_not_wait_for_ever() -> None:
    with_gevent(
        """
first, second = ask("slow"), ask("slow")
started(1)
first.kill()
second.join()
os.write(writing, b"11")
assert ask("slow").get()
"""
    )


def test_a_hash_that_somebody_still_waits_for_is_made_though_the_first_has_gone() -> None:
    with_gevent(
        """
class Client:
    client_has_gone = False

def ask_from(client, password):
    return gevent.spawn(verifier.check, "alice", password, {"gunicorn.socket": client})

slow = ask("slow")
started(1)
gone, patient = Client(), Client()
shared = [ask_from(gone, "shared"), ask_from(patient, "shared")]
alone = ask_from(gone, "alone")
gevent.sleep(0)
gone.client_has_gone = True
os.write(writing, b"1")
gevent.joinall([slow, *shared, alone])
assert [request.value for request in shared] == [True, True]
assert type(alone.exception).__name__ == "RetryLaterError"
assert made == ["slow", "shared"]
"""
    )


@pytest.mark.parametrize("stored", [f"$6$rounds=400000$salt${'x' * 86}", f"$5$rounds=400000$salt${'x' * 43}"])
def test_a_long_hash_that_is_no_bcrypt_lets_others_go_on_too(stored: str) -> None:
    with_gevent(
        f"""
from pypiserver_stack.container.access import htpasswd

def matches(password, stored):
    made.append(password)
    return htpasswd.matches(password, stored)

verifier = Verifier(lambda: Users.parse(b"alice:{stored}"), Attempts(), matches=matches)
request = ask("wrong")
started(1)
turns = 0
while not request.ready():
    gevent.sleep(0.001)
    turns += 1
assert not request.get()
assert turns > 10, turns
"""
    )
