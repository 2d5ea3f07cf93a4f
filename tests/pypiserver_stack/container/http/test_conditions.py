"""Entity tags and ranges, as RFC 9110 has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserver_stack.container.http.conditions import fails_precondition, is_unchanged, wanted_range

TAG = '"abc"'
GET = {"REQUEST_METHOD": "GET"}


@pytest.mark.parametrize("held", [TAG, f"W/{TAG}", f'"other", {TAG}', f'"other",W/{TAG}', "*", " * "])
def test_the_client_has_it(held: str) -> None:
    assert is_unchanged({"HTTP_IF_NONE_MATCH": held}, TAG)


@pytest.mark.parametrize("held", ['"other"', "abc", "", '"abcd"', 'w/"abc"'])
def test_the_client_has_something_else(held: str) -> None:
    assert not is_unchanged({"HTTP_IF_NONE_MATCH": held}, TAG)


def test_a_client_that_says_nothing_has_nothing() -> None:
    assert not is_unchanged({}, TAG)


@pytest.mark.parametrize("wanted", [TAG, f'"other", {TAG}', "*", " * "])
def test_the_file_is_the_one_that_is_wanted(wanted: str) -> None:
    assert not fails_precondition({"HTTP_IF_MATCH": wanted}, TAG)


# A weak tag never stands for the very bytes; and a file without digests has no tag.
@pytest.mark.parametrize(("wanted", "tag"), [('"other"', TAG), ("", TAG), (f"W/{TAG}", TAG), (TAG, None)])
def test_the_file_is_another_than_is_wanted(wanted: str, tag: str | None) -> None:
    assert fails_precondition({"HTTP_IF_MATCH": wanted}, tag)


def test_who_wants_no_file_in_particular_gets_any() -> None:
    assert not fails_precondition({}, TAG)
    assert not fails_precondition({}, None)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=0-0", (0, 1)),
        ("bytes=90-", (90, 100)),
        ("bytes=90-1000", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes=0-99", (0, 100)),
    ],
)
def test_a_part_of_the_file(asked: str, wanted: tuple[int, int]) -> None:
    assert wanted_range({**GET, "HTTP_RANGE": asked}, 100, TAG) == wanted
    assert wanted_range({**GET, "HTTP_RANGE": asked, "HTTP_IF_RANGE": TAG}, 100, TAG) == wanted


@pytest.mark.parametrize(
    "asked", ["bytes=5-4", "bytes=-", "bytes=", "bytes", "lines=0-9", "bytes=0-9,20-29", "bytes=a-b", "bytes=--1"]
)
def test_what_cannot_be_served_in_part_is_served_whole(asked: str) -> None:
    assert wanted_range({**GET, "HTTP_RANGE": asked}, 100, TAG) is None


def test_a_range_is_for_get_alone() -> None:
    assert wanted_range({"REQUEST_METHOD": "HEAD", "HTTP_RANGE": "bytes=0-9"}, 100, TAG) is None


@pytest.mark.parametrize("asked", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_nothing_lies_there(asked: str) -> None:
    with pytest.raises(ValueError, match="bytes"):
        wanted_range({**GET, "HTTP_RANGE": asked}, 100, TAG)


@pytest.mark.parametrize("tag", ['"other"', "Mon, 23 Nov 2026 00:00:00 GMT", f"W/{TAG}"])
def test_the_rest_of_another_version_is_not_sent(tag: str) -> None:
    assert wanted_range({**GET, "HTTP_RANGE": "bytes=5-", "HTTP_IF_RANGE": tag}, 100, TAG) is None


@given(st.text(alphabet="bytes=0123456789-, ", max_size=60), st.integers(0, 1 << 40))
def test_a_range_always_lies_in_the_file(asked: str, size: int) -> None:
    try:
        wanted = wanted_range({**GET, "HTTP_RANGE": asked}, size, TAG)
    except ValueError:
        return
    assert wanted is None or 0 <= wanted[0] < wanted[1] <= size
