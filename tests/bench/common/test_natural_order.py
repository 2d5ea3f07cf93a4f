"""Names with numbers are in the order of the numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bench.common.natural_order import natural_order


def test_the_tenth_task_comes_after_the_second() -> None:
    names = ["task-10", "task-2", "worker-1", "task-1", "", "7"]

    assert sorted(names, key=natural_order) == ["", "7", "task-1", "task-2", "task-10", "worker-1"]


@given(st.lists(st.text(alphabet="a-0129\u0663"), max_size=20))
def test_any_names_have_one_order(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural_order) == sorted(backwards, key=natural_order)
