"""What `--stacks` and the options beside it ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench.commands.compare.job import job, parse_stacks
from bench.commands.compare.stacks import StackComparison, StackVariant
from bench.common.failures import UsageError

NOTHING: dict[str, Any] = {
    "options": {},
    "stacks": None,
    "rounds": None,
    "against": None,
    "engine": None,
    "overrides": (),
    "tasks": None,
    "fail_on_regression": False,
    "least_change": None,
    "latency_floor_s": None,
}
TWO = (Path("a/report.json"), Path("b/report.json"))


def test_stacks_are_named_as_they_are_written() -> None:
    assert parse_stacks("peer,stress:backend=simple-dir:gunicorn_keepalive_s=2") == (
        StackVariant("peer", "peer"),
        StackVariant(
            "stress:backend=simple-dir:gunicorn_keepalive_s=2",
            "stress",
            ("backend=simple-dir", "gunicorn_keepalive_s=2"),
        ),
    )


def test_a_setting_may_have_a_namespace() -> None:
    (variant,) = parse_stacks("stress:bench:seed=7:pypiserver:backend=simple-dir")

    assert variant.overrides == ("bench:seed=7", "pypiserver:backend=simple-dir")


def test_the_same_stack_may_stand_beside_itself() -> None:
    assert [variant.name for variant in parse_stacks("a,a,b,a")] == ["a", "a (2)", "b", "a (3)"]


def test_a_variants_own_settings_come_last() -> None:
    (variant,) = parse_stacks("stress:profile=heavy", ("profile=light", "task_min_count=2"))

    assert variant.overrides == ("profile=light", "task_min_count=2", "profile=heavy")


@pytest.mark.parametrize("text", ["", "peer,", ",", "peer:,stress", "peer:backend,stress", ":a=b", "a=b,c"])
def test_what_names_no_stack_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--stacks"):
        parse_stacks(text)


@pytest.mark.parametrize(
    ("reports", "options", "mentioned"),
    [
        ((), {}, "nothing to compare"),
        ((), {"stacks": "stress"}, "no comparison"),
        ((), {"stacks": "peer,stress", "least_change": 0.2}, "--least-change"),
        (TWO[:1], {}, "alone is no comparison"),
        ((TWO[0], TWO[0]), {}, "given twice"),
        (TWO, {"stacks": "stress"}, "--stacks changes nothing"),
        (TWO, {"against": "limit"}, "--against changes nothing"),
        (TWO, {"options": {"clients": 5}}, "--clients changes nothing"),
        (TWO, {"options": {"duration_s": 5.0}}, "--duration changes nothing"),
        (TWO, {"overrides": ("a=b",)}, "--config changes nothing"),
    ],
)
def test_what_makes_no_sense_is_refused(reports: tuple[Path, ...], options: dict[str, Any], mentioned: str) -> None:
    with pytest.raises(UsageError) as refused:
        job(reports, **{**NOTHING, **options})

    assert mentioned in str(refused.value)


def test_the_limit_may_stand_beside_one_stack() -> None:
    assert isinstance(job((), **{**NOTHING, "stacks": "stress", "against": "limit"}), StackComparison)
