"""Whatever text comes in, what is written is UTF-8 on one line."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserver_stack.common.text import printable, valid_text

ANYTHING = st.text(st.characters(exclude_categories=())) | st.binary().map(os.fsdecode)


@given(ANYTHING)
def test_any_text_can_be_written(text: str) -> None:
    assert valid_text(text).encode().decode() == valid_text(text)
    assert printable(text).isprintable()


@given(st.text())
def test_text_that_is_valid_stays_as_it_is(text: str) -> None:
    assert valid_text(text) == text


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("r\udce9sultats", r"r\xe9sultats"),
        ("r\udcc3\udca9sultats", "résultats"),  # UTF-8 that a locale without it has taken apart
        ("\ud800", r"\ud800"),
    ],
)
def test_bytes_that_are_no_text_are_spelled_out(text: str, valid: str) -> None:
    assert valid_text(text) == valid
