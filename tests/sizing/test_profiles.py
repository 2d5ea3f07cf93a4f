"""Profiles are data that plan without error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sizing import PROFILES, SizingSettings, find, plan

WantedFactory = Callable[..., SizingSettings]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("light", ("t3.micro", 1, None, 256, 1, 2)),
        ("medium", ("t3.small", 2, None, 512, 2, 6)),
        ("heavy", ("t3.medium", 3, None, 1024, 3, 10)),
        ("tested", ("c6a.xlarge", 2, 4, 512, None, None)),
        ("incident", ("t3.micro", 1, None, 128, None, None)),
    ],
)
def test_profiles_have_the_values_of_the_sizing_guide(name: str, values: tuple[object, ...]) -> None:
    profile = PROFILES[name]
    keys = (
        "instance_type",
        "instance_min_count",
        "instance_max_count",
        "container_memory_mb",
        "task_min_count",
        "task_max_count",
    )
    assert tuple(profile.values.get(key) for key in keys) == values
    assert set(profile.values) <= set(keys)


def test_these_are_all_the_profiles() -> None:
    assert list(PROFILES) == ["light", "medium", "heavy", "tested", "incident"]
    assert all(name == profile.name and profile.summary for name, profile in PROFILES.items())


@pytest.mark.parametrize(
    ("name", "tasks_per_instance", "bound_by", "instance_max_count"),
    [
        ("light", 1, "memory", 2),
        ("medium", 3, "both", 3),
        ("heavy", 1, "cpu", 10),
        ("tested", 6, "cpu", 4),
        ("incident", 2, "memory", 2),
    ],
)
def test_every_profile_plans_and_has_no_warnings(
    wanted: WantedFactory, name: str, tasks_per_instance: int, bound_by: str, instance_max_count: int
) -> None:
    values: dict[str, Any] = dict(PROFILES[name].values)
    made = plan(wanted(**{k: v for k, v in values.items() if k != "instance_type"}), find(values["instance_type"]))
    assert (made.tasks_per_instance, made.bound_by) == (tasks_per_instance, bound_by)
    assert made.instance_max_count == instance_max_count
    assert (made.warnings, made.advice) == ((), ())


def test_a_profile_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        PROFILES["light"].values["instance_type"] = "t3.nano"  # type: ignore[index]
