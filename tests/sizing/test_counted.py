"""One thing is one thing."""

from __future__ import annotations

import pytest

from sizing.counted import counted


@pytest.mark.parametrize(("count", "words"), [(0, "0 tasks"), (1, "1 task"), (1200, "1,200 tasks")])
def test_a_count_agrees_with_its_noun(count: int, words: str) -> None:
    assert counted(count, "task") == words


def test_a_plural_may_be_its_own() -> None:
    assert [counted(number, "process", "processes") for number in (1, 2)] == ["1 process", "2 processes"]
