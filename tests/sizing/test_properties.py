"""What holds of every plan, over the whole catalogue and beyond it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sizing import (
    DaemonTask,
    Instance,
    InstanceTooSmallError,
    PlanError,
    SizingSettings,
    TaskPlan,
    TooFewInstancesError,
    catalogue,
    find,
    plan,
)

WantedFactory = Callable[..., SizingSettings]
Given = dict[str, Any]


def described(vcpu_count: int, memory_mb: int) -> Instance:
    return Instance.described(
        "x1.any", vcpu_count=vcpu_count, memory_mb=memory_mb, architecture="x86_64", burstable=False
    )


instances = st.sampled_from(list(catalogue().values())) | st.builds(
    described, vcpu_count=st.integers(1, 192), memory_mb=st.integers(256, 1 << 20)
)
counts = st.none() | st.integers(1, 100)
consistent = st.fixed_dictionaries(
    {
        "container_memory_mb": st.integers(128, 16384),
        "container_cpu_units": st.none() | st.integers(1, 8192),
        "gunicorn_workers": st.none() | st.integers(1, 16),
        "instance_min_count": st.integers(1, 20),
        "instance_max_count": st.none() | st.integers(20, 40),
        "task_min_count": st.none() | st.integers(1, 50),
        "task_max_count": st.none() | st.integers(50, 200),
    }
).flatmap(
    lambda chosen: st.fixed_dictionaries(
        {
            **{name: st.just(value) for name, value in chosen.items()},
            "container_memory_reservation_mb": st.none() | st.integers(1, chosen["container_memory_mb"]),
        }
    )
)
daemon_tasks = st.lists(st.builds(DaemonTask, memory_mb=st.integers(0, 512), cpu_units=st.integers(0, 512)), max_size=3)


def tasks_held(settings: SizingSettings, instance: Instance, daemons: list[DaemonTask]) -> int:
    try:
        return plan(settings, instance, daemons).tasks_per_instance
    except InstanceTooSmallError:
        return 0
    except TooFewInstancesError:
        return tasks_held(replace(settings, instance_max_count=None), instance, daemons)  # type: ignore[type-var]


def planned(settings: SizingSettings, instance: Instance, daemons: list[DaemonTask]) -> TaskPlan:
    try:
        return plan(settings, instance, daemons)
    except (InstanceTooSmallError, TooFewInstancesError):
        assume(False)
        raise


@given(consistent, instances, daemon_tasks)
def test_reservations_never_exceed_what_the_instance_has(
    wanted: WantedFactory, chosen: Given, instance: Instance, daemons: list[DaemonTask]
) -> None:
    made = planned(wanted(**chosen), instance, daemons)
    memory_mb = made.tasks_per_instance * made.container_memory_reservation_mb + sum(d.memory_mb for d in daemons)
    units = made.tasks_per_instance * made.container_cpu_units + sum(d.cpu_units for d in daemons)
    assert memory_mb + made.ecs_reserved_memory_mb <= instance.registered_memory_mb
    assert units <= made.cpu_units_for_tasks < instance.vcpu_count * 1024
    assert made.ecs_reserved_memory_mb >= 300


@given(consistent, instances, daemon_tasks)
def test_one_more_task_would_exceed_the_constraint_that_binds(
    wanted: WantedFactory, chosen: Given, instance: Instance, daemons: list[DaemonTask]
) -> None:
    made = planned(wanted(**chosen), instance, daemons)
    more = made.tasks_per_instance + 1
    memory_mb = more * made.container_memory_reservation_mb + sum(d.memory_mb for d in daemons)
    units = more * made.container_cpu_units + sum(d.cpu_units for d in daemons)
    assert (memory_mb > made.memory_for_tasks_mb) == (made.bound_by in ("memory", "both"))
    assert (units > made.cpu_units_for_tasks) == (made.bound_by in ("cpu", "both"))


@given(consistent, instances, daemon_tasks)
def test_ecs_places_as_many_by_memory_as_the_plan_says(
    wanted: WantedFactory, chosen: Given, instance: Instance, daemons: list[DaemonTask]
) -> None:
    made = planned(wanted(**chosen), instance, daemons)
    remaining_mb = instance.registered_memory_mb - made.ecs_reserved_memory_mb
    for daemon in daemons:
        remaining_mb -= daemon.memory_mb
    placed = 0
    while remaining_mb >= made.container_memory_reservation_mb:
        remaining_mb -= made.container_memory_reservation_mb
        placed += 1
    assert placed == made.tasks_per_instance_by_memory


@given(
    consistent, st.integers(1, 96), st.integers(256, 1 << 18), st.integers(0, 96), st.integers(0, 1 << 18), daemon_tasks
)
def test_a_larger_instance_never_holds_fewer_tasks(
    wanted: WantedFactory,
    chosen: Given,
    vcpu_count: int,
    memory_mb: int,
    more_vcpu: int,
    more_memory_mb: int,
    daemons: list[DaemonTask],
) -> None:
    small, large = described(vcpu_count, memory_mb), described(vcpu_count + more_vcpu, memory_mb + more_memory_mb)
    settings = wanted(**chosen)
    assert tasks_held(settings, small, daemons) <= tasks_held(settings, large, daemons)


@given(consistent, daemon_tasks)
def test_within_a_family_a_larger_size_never_holds_fewer_tasks(
    wanted: WantedFactory, chosen: Given, daemons: list[DaemonTask]
) -> None:
    settings = wanted(**chosen)
    for sizes in (
        ("t3.nano", "t3.micro", "t3.small", "t3.medium", "t3.large", "t3.xlarge", "t3.2xlarge"),
        ("c6a.large", "c6a.xlarge", "c6a.2xlarge", "c6a.4xlarge"),
        ("c7g.large", "m7g.large", "m7g.xlarge", "m7g.2xlarge"),
    ):
        held = [tasks_held(settings, find(size), daemons) for size in sizes]
        assert held == sorted(held)


@given(consistent, instances, st.integers(1, 4096))
def test_a_bigger_container_never_means_more_tasks(
    wanted: WantedFactory, chosen: Given, instance: Instance, more_mb: int
) -> None:
    bigger = {**chosen, "container_memory_mb": chosen["container_memory_mb"] + more_mb}
    assert tasks_held(wanted(**bigger), instance, []) <= tasks_held(wanted(**chosen), instance, [])


@given(consistent, instances, daemon_tasks, st.builds(DaemonTask, st.integers(0, 512), st.integers(0, 512)))
def test_a_daemon_task_never_adds_tasks(
    wanted: WantedFactory, chosen: Given, instance: Instance, daemons: list[DaemonTask], another: DaemonTask
) -> None:
    settings = wanted(**chosen)
    assert tasks_held(settings, instance, [*daemons, another]) <= tasks_held(settings, instance, daemons)


@given(consistent, instances, daemon_tasks)
def test_a_warning_says_exactly_when_the_first_instances_do_not_hold_the_fewest_tasks(
    wanted: WantedFactory, chosen: Given, instance: Instance, daemons: list[DaemonTask]
) -> None:
    made = planned(wanted(**chosen), instance, daemons)
    warned = " ".join(made.warnings)
    assert ("task_min_count =" in warned) == (made.task_min_count > made.instance_min_count * made.tasks_per_instance)


# Tasks that fill an instance by its memory, and more of them than the fewest instances hold.
crowded = st.fixed_dictionaries(
    {
        "container_memory_mb": st.integers(128, 4096),
        "container_memory_reservation_mb": st.integers(64, 128),
        "container_cpu_units": st.integers(1, 256),
        "instance_min_count": st.integers(1, 3),
        "instance_max_count": st.none() | st.integers(3, 9),
        "task_min_count": st.none() | st.integers(1, 100),
    }
)


@given(consistent | crowded, st.sampled_from([None, "standard", "unlimited"]), instances, daemon_tasks)
def test_following_the_advice_leaves_no_advice(
    wanted: WantedFactory, sizes: Given, cpu_credits: str | None, instance: Instance, daemons: list[DaemonTask]
) -> None:
    burstable = instance.burstable_baseline_percent is not None
    chosen = {**sizes, "cpu_credits": cpu_credits if burstable else None}
    made = planned(wanted(**chosen), instance, daemons)
    assert len(made.warnings) <= 1
    assert not made.advice or made.warnings
    if made.warnings and not made.advice:
        # Even as the only task on its instance it leaves too little of any known type.
        for known in catalogue().values():
            possible = not chosen["cpu_credits"] or known.burstable_baseline_percent is not None
            if known.architecture == instance.architecture and possible:
                alone = {**chosen, "container_cpu_units": known.vcpu_count * 1024 - 128, "instance_min_count": 100}
                assert tasks_held(wanted(**alone), known, daemons) == 0
        return
    values = dict(setting.split("=") for setting in made.advice)
    other = find(values.pop("instance_type")) if "instance_type" in values else instance
    numbers = {name: int(value) for name, value in values.items() if name != "cpu_credits"}
    credits = values.get("cpu_credits", chosen["cpu_credits"])
    advised = plan(wanted(**{**chosen, **numbers, "cpu_credits": credits}), other, daemons)
    assert (advised.warnings, advised.advice) == ((), ())
    assert advised.task_min_count >= made.task_min_count
    assert other.architecture == instance.architecture
    assert other.burstable_baseline_percent is None or burstable
    assert credits is None or other.burstable_baseline_percent is not None


@given(consistent, instances, st.integers(1, 40))
def test_a_group_is_refused_exactly_when_it_cannot_hold_the_most_tasks_or_deploy_one(
    wanted: WantedFactory, chosen: Given, instance: Instance, instance_max: int
) -> None:
    within = {**chosen, "instance_min_count": 1}
    computed = planned(wanted(**{**within, "instance_max_count": None}), instance, [])
    settings = wanted(**{**within, "instance_max_count": instance_max})
    only_one = computed.task_max_count == 1 or computed.task_min_count == 1
    enough = instance_max * computed.tasks_per_instance >= max(computed.task_max_count, 2 if only_one else 1)
    if enough:
        assert plan(settings, instance).spare_places >= 0
        return
    with pytest.raises(TooFewInstancesError) as refused:
        plan(settings, instance)
    fitting = refused.value.fitting_instance_max_count
    assert plan(wanted(**{**within, "instance_max_count": fitting}), instance).spare_places >= 0
    with pytest.raises(TooFewInstancesError):
        plan(wanted(**{**within, "instance_max_count": max(1, fitting - 1)}), instance)


@given(consistent, instances, daemon_tasks)
def test_a_computed_instance_maximum_holds_the_most_tasks_and_is_no_larger_than_it_must(
    wanted: WantedFactory, chosen: Given, instance: Instance, daemons: list[DaemonTask]
) -> None:
    made = planned(wanted(**{**chosen, "instance_max_count": None}), instance, daemons)
    needed = math.ceil(made.task_max_count / made.tasks_per_instance)
    assert made.instance_max_count == max(needed, made.instance_min_count + 1)


@given(consistent, instances, daemon_tasks)
def test_what_is_set_is_kept_and_the_rest_is_in_order(
    wanted: WantedFactory, chosen: Given, instance: Instance, daemons: list[DaemonTask]
) -> None:
    made = planned(wanted(**chosen), instance, daemons)
    as_dict = made.as_dict()
    assert {name: as_dict[name] for name, value in chosen.items() if value is not None}.items() <= chosen.items()
    assert 1 <= made.task_min_count <= made.task_max_count
    assert 1 <= made.instance_min_count <= made.instance_max_count
    assert 1 <= made.container_memory_reservation_mb <= made.container_memory_mb
    assert json.loads(json.dumps(as_dict)) == as_dict


@given(consistent, instances, daemon_tasks)
def test_an_instance_is_too_small_only_when_it_is_and_what_is_said_to_fit_does(
    wanted: WantedFactory, chosen: Given, instance: Instance, daemons: list[DaemonTask]
) -> None:
    settings = wanted(**chosen)
    assume(tasks_held(settings, instance, daemons) == 0)
    with pytest.raises(InstanceTooSmallError) as refused:
        plan(settings, instance, daemons)
    much = 1 << 21
    with_much_cpu = replace(instance, vcpu_count=much)
    with_much_memory = replace(instance, memory_mb=much, registered_memory_mb=much)
    assert ("memory" in refused.value.missing) == (tasks_held(settings, with_much_cpu, daemons) == 0)
    assert ("cpu" in refused.value.missing) == (tasks_held(settings, with_much_memory, daemons) == 0)
    if refused.value.fitting_instance_type:
        fitting = find(refused.value.fitting_instance_type)
        assert fitting.architecture == instance.architecture
        assert tasks_held(settings, fitting, daemons) > 0
    if fitting_mb := refused.value.fitting_container_memory_mb:
        assert tasks_held(wanted(**{**chosen, "container_memory_mb": fitting_mb}), instance, daemons) > 0
        assert tasks_held(wanted(**{**chosen, "container_memory_mb": fitting_mb + 1}), instance, daemons) == 0


@given(
    st.integers(-2, 2000),
    counts,
    counts,
    counts,
    counts,
    st.none() | st.integers(-2, 2000),
    st.integers(-2, 3),
    instances,
)
def test_contradictions_are_refused_whatever_the_instance_and_nothing_else_is(
    wanted: WantedFactory,
    memory_mb: int,
    task_min: int | None,
    task_max: int | None,
    instance_max: int | None,
    workers: int | None,
    reservation_mb: int | None,
    instance_min: int,
    instance: Instance,
) -> None:
    settings = wanted(
        container_memory_mb=memory_mb,
        container_memory_reservation_mb=reservation_mb,
        gunicorn_workers=workers,
        instance_min_count=instance_min,
        instance_max_count=instance_max,
        task_min_count=task_min,
        task_max_count=task_max,
    )
    reserved_mb = memory_mb * 3 // 4 if reservation_mb is None else reservation_mb
    contradictory = (
        memory_mb < 1
        or not 1 <= reserved_mb <= memory_mb
        or instance_min < 1
        or (instance_max is not None and instance_min > instance_max)
        or (task_min is not None and task_max is not None and task_min > task_max)
    )
    try:
        plan(settings, instance)
    except PlanError:
        assert contradictory
    except (InstanceTooSmallError, TooFewInstancesError):
        assert not contradictory
    else:
        assert not contradictory
