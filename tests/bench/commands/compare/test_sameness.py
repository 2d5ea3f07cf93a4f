"""What differs is named, with both values."""

from __future__ import annotations

import pytest

from bench.commands.compare.sameness import difference_sentences, require_equal
from bench.common.failures import ExitCode, IncomparableError

FIRST = {"seed": 0, "workload": {"name": "burst", "clients": 510}, "plan": None}


def test_equals_may_be_compared() -> None:
    assert difference_sentences("A", FIRST, "B", FIRST) == []
    require_equal("A", FIRST, "B", FIRST)


def test_each_field_is_named_by_its_path() -> None:
    other = {"seed": 1, "workload": {"name": "burst", "clients": 200}, "plan": None}

    assert difference_sentences("A", FIRST, "B", other) == [
        "seed is 0 in A and 1 in B",
        "workload.clients is 510 in A and 200 in B",
    ]


def test_a_field_that_only_one_has_is_a_difference() -> None:
    told = difference_sentences("A", FIRST, "B", {**FIRST, "plan": {"instances": 2}})

    assert told == ["plan.instances is not set in A and 2 in B"]


def test_the_refusal_names_fields_values_and_both_sides() -> None:
    with pytest.raises(IncomparableError) as refused:
        require_equal("A.json", FIRST, "B.json", {**FIRST, "seed": 7})

    assert str(refused.value) == "B.json cannot be compared with A.json: seed is 0 in A.json and 7 in B.json"
    assert refused.value.exit_code is ExitCode.INCOMPARABLE
