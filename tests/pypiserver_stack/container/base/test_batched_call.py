"""One call for all who ask at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pypiserver_stack.container.base.batched_call import BatchedCall

# Each run waits until a test sets its outcome.
GEVENT = """
from gevent import monkey

monkey.patch_all()

import gevent
from gevent.queue import Queue
from pypiserver_stack.container.base.batched_call import BatchedCall

began, outcomes = [], Queue()

def call():
    began.append(len(began) + 1)
    outcome = outcomes.get()
    if isinstance(outcome, Exception):
        raise outcome
    return outcome

shared = BatchedCall(lambda _: call())

def ask(count):
    asking = [gevent.spawn(shared) for _ in range(count)]
    for _ in range(count + 3):
        gevent.sleep(0)
    return asking

keys = []
batched = BatchedCall(lambda wanted: (keys.append(sorted(wanted)), call()))

def ask_for(*wanted):
    asking = [gevent.spawn(batched, key) for key in wanted]
    for _ in range(len(wanted) + 3):
        gevent.sleep(0)
    return asking

def answers(asking):
    gevent.joinall(asking, timeout=20, raise_error=True)
    return [greenlet.value for greenlet in asking]
"""


def with_gevent(body: str) -> None:
    finished = subprocess.run(
        [sys.executable, "-c", GEVENT + body], capture_output=True, text=True, timeout=120, check=False
    )
    assert finished.returncode == 0, finished.stderr


def test_who_asks_while_a_call_runs_shares_the_next_one() -> None:
    with_gevent("""
first = ask(1)
later = ask(50)
assert began == [1]
outcomes.put("old")
assert answers(first) == ["old"]
latest = ask(1)  # the second run waits for its outcome: too late for it
assert began == [1, 2]
outcomes.put("new")
outcomes.put("newest")
assert answers(later) == ["new"] * 50
assert answers(latest) == ["newest"]
assert began == [1, 2, 3]
""")


def test_an_error_is_everybodys_who_shared_it_and_nobody_elses() -> None:
    with_gevent("""
first = ask(1)
later = ask(3)
outcomes.put("fine")
outcomes.put(OSError("stale file handle"))
gevent.joinall(later, timeout=20)
assert answers(first) == ["fine"]
assert [str(greenlet.exception) for greenlet in later] == ["stale file handle"] * 3
again = ask(1)
outcomes.put("fine again")
assert answers(again) == ["fine again"]
""")


def test_where_the_one_who_makes_the_call_is_killed_another_makes_it() -> None:
    with_gevent("""
first = ask(4)
first[0].kill()
outcomes.put("fine")
assert answers(first[1:]) == ["fine"] * 3
assert began == [1, 2]
""")


def test_a_run_has_the_keys_of_all_who_share_it() -> None:
    with_gevent("""
first = ask_for("a")
later = ask_for("b", "c", "b")
outcomes.put("fine")
outcomes.put(OSError("stale file handle"))
answers(first)
gevent.joinall(later, timeout=20)
assert [str(greenlet.exception) for greenlet in later] == ["stale file handle"] * 3
outcomes.put("fine again")
answers(ask_for("d"))
assert keys == [["a"], ["b", "c"], ["d"]], keys
""")


def test_the_keys_of_who_is_killed_in_a_run_are_in_the_next_one() -> None:
    with_gevent("""
running = ask_for("x")
first, second = ask_for("a", "b")
outcomes.put("fine")
answers(running)
first.kill()
outcomes.put("fine")
answers([second])
assert keys == [["x"], ["a", "b"], ["a", "b"]], keys
""")


def test_each_answer_began_after_its_question_in_plain_threads_too() -> None:
    runs = [0]
    running = threading.Lock()

    def call() -> int:
        assert running.acquire(blocking=False), "two calls at once"
        runs[0] += 1
        run = runs[0]
        running.release()
        return run

    shared: BatchedCall[None, int] = BatchedCall(lambda _: call())

    def ask() -> int:
        oldest = runs[0]
        return shared() - oldest

    with ThreadPoolExecutor(16) as pool:
        assert min(pool.map(lambda _: ask(), range(2000))) > 0


def test_an_error_of_the_first_is_raised() -> None:
    def call() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        BatchedCall(lambda _: call())()
