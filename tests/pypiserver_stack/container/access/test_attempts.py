"""How often a client may try a password, and who counts as one client."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserver_stack.container.access.attempts import BURST, REFILL_S, Attempts, client_of
from pypiserver_stack.container.access.credentials import RetryLaterError


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> int:
        return round(self.now_s * 1e9)


def allowed(attempts: Attempts, client: str, username: str = "user") -> bool:
    try:
        attempts.take(client, username)
    except RetryLaterError:
        return False
    return True


def test_a_burst_then_one_for_each_refill() -> None:
    clock = Clock()
    attempts = Attempts(clock_ns=clock)
    assert [allowed(attempts, "a") for _ in range(BURST + 3)] == [True] * BURST + [False] * 3
    clock.now_s += REFILL_S - 0.001
    assert not allowed(attempts, "a")
    clock.now_s += 0.001
    assert [allowed(attempts, "a") for _ in range(2)] == [True, False]
    clock.now_s += 1000 * REFILL_S  # a bucket holds no more than the burst
    assert [allowed(attempts, "a") for _ in range(BURST + 1)] == [True] * BURST + [False]


def test_guesses_for_one_user_leave_most_others_behind_the_same_address_alone() -> None:
    attempts = Attempts(burst=1, refill_s=3600, buckets=2**20, groups=64)
    assert allowed(attempts, "a", "guessed")
    assert not allowed(attempts, "a", "guessed")
    others = [allowed(attempts, "a", f"user{number}") for number in range(10)]
    assert others.count(True) >= 5
    # All users together are bounded too, whatever names are made up.
    assert sum(allowed(attempts, "a", f"name{number}") for number in range(10_000)) <= 63


def test_the_refusal_says_when_the_next_attempt_is_allowed() -> None:
    clock = Clock(now_s=100.5)
    attempts = Attempts(burst=1, refill_s=7, clock_ns=clock)
    attempts.take("a", "user")
    clock.now_s += 1.5
    with pytest.raises(RetryLaterError) as refused:
        attempts.take("a", "user")
    assert (refused.value.status, refused.value.retry_after_s) == ("429 Too Many Requests", 6)
    clock.now_s += refused.value.retry_after_s
    attempts.take("a", "user")


def test_what_is_given_back_can_be_taken_again_and_no_more() -> None:
    attempts = Attempts(burst=2, refill_s=60, clock_ns=Clock())
    for _ in range(50):
        attempts.take("a", "user")
        attempts.give_back("a", "user")
    assert [allowed(attempts, "a") for _ in range(3)] == [True, True, False]


def test_what_is_given_back_late_does_not_overfill_the_bucket() -> None:
    clock = Clock()
    attempts = Attempts(burst=2, refill_s=1, clock_ns=clock)
    attempts.take("a", "user")
    clock.now_s += 100
    attempts.give_back("a", "user")
    assert [allowed(attempts, "a") for _ in range(3)] == [True, True, False]


steps = st.lists(st.tuples(st.floats(0, 20), st.sampled_from("abc")), max_size=200)


@given(st.integers(1, 5), st.floats(0.5, 10), st.integers(1, 4), steps)
def test_in_any_time_no_client_gets_more_than_burst_and_rate(
    burst: int, refill_s: float, buckets: int, steps: list[tuple[float, str]]
) -> None:
    clock = Clock()
    attempts = Attempts(burst=burst, refill_s=refill_s, buckets=buckets, clock_ns=clock)
    times: dict[str, list[float]] = {"a": [], "b": [], "c": []}
    for pause_s, client in steps:
        clock.now_s += pause_s
        if allowed(attempts, client):
            times[client].append(clock.now_s)
    for of_client in times.values():
        for first, start_s in enumerate(of_client):
            for last, end_s in enumerate(of_client[first:], first):
                assert last - first + 1 <= burst + (end_s - start_s) / refill_s + 1e-6


def test_an_attacker_with_many_addresses_resets_no_bucket_and_is_bounded_himself() -> None:
    attempts = Attempts(burst=2, buckets=64, clock_ns=Clock())
    while allowed(attempts, "victim"):
        pass
    got = Counter[str]()
    for round_ in range(3):
        for number in range(1000):
            got[f"{number}"] += allowed(attempts, f"{number}")
        assert round_ == 0 or not allowed(attempts, "0")
    assert not allowed(attempts, "victim")
    assert max(got.values()) <= 2
    assert 0 < got.total() <= 2 * 64


def test_clients_seldom_share_a_bucket() -> None:
    attempts = Attempts(burst=1, clock_ns=Clock())
    assert sum(allowed(attempts, f"10.0.{number // 256}.{number % 256}") for number in range(1000)) > 900


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:50123", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("invented,203.0.113.7:1", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2:ffff::1]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:50123", "2001:db8:1:2::/64"),
        ("2001:DB8:1:3::9", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:50123", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "192.0.2.1"),
        ("203.0.113.7,", "192.0.2.1"),
        ("203.0.113.7, unknown", "192.0.2.1"),
        ("203.0.113.999", "192.0.2.1"),
        ("[2001:db8::1", "2001:db8::/64"),
    ],
)
def test_the_client_is_what_the_balancer_wrote(forwarded: str, client: str) -> None:
    assert client_of({"HTTP_X_FORWARDED_FOR": forwarded, "REMOTE_ADDR": "192.0.2.1"}) == client


def test_without_a_balancer_the_client_is_the_peer() -> None:
    assert client_of({"REMOTE_ADDR": "192.0.2.1"}) == "192.0.2.1"
    assert client_of({"REMOTE_ADDR": "2001:db8::1"}) == "2001:db8::/64"
    assert client_of({"REMOTE_ADDR": ""}) == client_of({}) == "unknown"


addresses = st.ip_addresses().map(str)


@given(st.text(), addresses, st.one_of(st.none(), st.integers(0, 65535)))
def test_nothing_left_of_the_last_entry_counts(invented: str, address: str, port: int | None) -> None:
    written = address if port is None else f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    direct = client_of({"REMOTE_ADDR": address})
    assert client_of({"HTTP_X_FORWARDED_FOR": f"{invented}, {written}", "REMOTE_ADDR": "192.0.2.1"}) == direct


@given(st.text(), st.text())
def test_no_header_raises(forwarded: str, remote: str) -> None:
    assert client_of({"HTTP_X_FORWARDED_FOR": forwarded, "REMOTE_ADDR": remote})
