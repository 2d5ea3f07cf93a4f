"""Known answers, warnings and refusals of the plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sizing import (
    DaemonTask,
    Instance,
    InstanceTooSmallError,
    PlanError,
    SizingError,
    SizingSettings,
    TaskPlan,
    TooFewInstancesError,
    find,
    plan,
)
from sizing.capacity import instance_max_count
from sizing.packing import (
    cpu_units_for_tasks,
    memory_for_tasks_mb,
    places_needed,
    tasks_by_cpu,
    tasks_by_memory,
)

WantedFactory = Callable[..., SizingSettings]


def test_formulas() -> None:
    assert memory_for_tasks_mb(8192) == 7392
    assert memory_for_tasks_mb(512) == 0
    assert cpu_units_for_tasks(4) == 3968
    assert tasks_by_memory(7392, 384) == 19
    assert tasks_by_cpu(3968, 640) == 6
    assert tasks_by_memory(383, 384) == tasks_by_memory(-100, 384) == tasks_by_cpu(-1, 640) == 0


def test_instance_max_count_is_the_largest_of_memory_cpu_and_one_more_than_the_fewest() -> None:
    def most(task_max_count: int, by_memory: int, by_cpu: int, fewest: int) -> int:
        return instance_max_count(
            task_max_count,
            tasks_per_instance_by_memory=by_memory,
            tasks_per_instance_by_cpu=by_cpu,
            instance_min_count=fewest,
        )

    assert most(24, 19, 6, 2) == 4
    assert most(25, 4, 6, 2) == 7
    assert most(2, 4, 6, 2) == 3


def test_two_c6a_xlarge_as_load_tested(wanted: WantedFactory) -> None:
    made = plan(wanted(instance_min_count=2, instance_max_count=4), find("c6a.xlarge"))
    assert made.as_dict() == {
        "instance_type": "c6a.xlarge",
        "instance_min_count": 2,
        "instance_max_count": 4,
        "instance_vcpu_count": 4,
        "instance_memory_mb": 8192,
        "instance_registered_memory_mb": 7726,
        "gunicorn_workers": 4,
        "worker_connections": 257,
        "container_cpu_units": 640,
        "container_memory_mb": 512,
        "container_memory_reservation_mb": 384,
        "memory_for_tasks_mb": 7392,
        "cpu_units_for_tasks": 3968,
        "ecs_reserved_memory_mb": 334,
        "mount_proxies_memory_mb": 96,
        "tasks_per_instance_by_memory": 19,
        "tasks_per_instance_by_cpu": 6,
        "tasks_per_instance": 6,
        "bound_by": "cpu",
        "task_min_count": 12,
        "task_max_count": 24,
        "spare_places": 0,
        "page_cache_memory_mb": 5122,
        "page_cache_memory_at_limits_mb": 4354,
        "burstable_baseline_cpu_units": None,
        "cpu_units_reserved": 3840,
        "warnings": [],
        "advice": [],
    }
    assert json.loads(json.dumps(made.as_dict())) == made.as_dict()


def test_t3_small_holds_three(wanted: WantedFactory) -> None:
    assert plan(wanted(), find("t3.small")).tasks_per_instance == 3


def test_the_incident_and_ecs_agrees(wanted: WantedFactory) -> None:
    instance = find("t3.micro")
    made = plan(wanted(instance_min_count=1, container_memory_mb=128), instance)
    assert made.tasks_per_instance == 2
    assert made.bound_by == "memory"
    offered_mb = instance.registered_memory_mb - made.ecs_reserved_memory_mb
    assert offered_mb // made.container_memory_reservation_mb == 2


def test_each_task_has_a_mount_proxy_on_its_host(wanted: WantedFactory) -> None:
    small = plan(wanted(instance_min_count=1, container_memory_mb=128), find("t3.micro"))
    assert small.mount_proxies_memory_mb == 2 * 16
    # Beside the reservations of its tasks, what the incident's instance offers holds their proxies too.
    assert 2 * 96 + small.mount_proxies_memory_mb <= small.memory_for_tasks_mb


def test_on_large_instances_the_system_keeps_its_memory_although_the_kernel_takes_more_than_the_formula(
    wanted: WantedFactory,
) -> None:
    instance = find("c6a.4xlarge")
    assert memory_for_tasks_mb(instance.memory_mb) > instance.registered_memory_mb
    made = plan(wanted(), instance)
    assert made.memory_for_tasks_mb == instance.registered_memory_mb - 300
    assert made.ecs_reserved_memory_mb == 300


@pytest.mark.parametrize(
    ("reservation_mb", "by_memory", "bound_by"), [(300, 4, "cpu"), (400, 3, "both"), (500, 2, "memory")]
)
def test_the_constraint_that_leaves_fewer_tasks_binds(
    wanted: WantedFactory, reservation_mb: int, by_memory: int, bound_by: str
) -> None:
    made = plan(wanted(container_memory_reservation_mb=reservation_mb), find("t3.small"))
    assert (made.tasks_per_instance_by_memory, made.tasks_per_instance_by_cpu) == (by_memory, 3)
    assert (made.tasks_per_instance, made.bound_by) == (min(by_memory, 3), bound_by)


def test_settings_take_the_place_of_formulas(wanted: WantedFactory) -> None:
    made = plan(
        wanted(
            container_memory_reservation_mb=256,
            container_cpu_units=500,
            gunicorn_workers=3,
            task_min_count=5,
            task_max_count=7,
            instance_max_count=9,
        ),
        find("c6a.xlarge"),
    )
    assert (made.gunicorn_workers, made.container_cpu_units, made.container_memory_reservation_mb) == (3, 500, 256)
    assert (made.tasks_per_instance_by_memory, made.tasks_per_instance_by_cpu) == (28, 7)
    assert (made.task_min_count, made.task_max_count, made.instance_max_count) == (5, 7, 9)


def test_cpu_follows_workers_that_were_set(wanted: WantedFactory) -> None:
    assert plan(wanted(gunicorn_workers=1), find("c6a.xlarge")).container_cpu_units == 190


def test_most_tasks_are_twice_the_fewest_that_were_set(wanted: WantedFactory) -> None:
    assert plan(wanted(task_min_count=3), find("c6a.xlarge")).task_max_count == 6


def test_a_computed_fewest_gives_way_to_the_most_that_was_set(wanted: WantedFactory) -> None:
    made = plan(wanted(task_max_count=4), find("c6a.xlarge"))
    assert (made.task_min_count, made.task_max_count) == (4, 4)


def test_daemon_tasks_take_from_both_constraints(wanted: WantedFactory) -> None:
    instance = find("t3.small")
    alone = plan(wanted(), instance)
    beside = plan(wanted(), instance, [DaemonTask(memory_mb=97, cpu_units=1)])
    assert (beside.tasks_per_instance_by_memory, beside.tasks_per_instance_by_cpu) == (2, 2)
    assert beside.bound_by == "both"
    # ECS places daemon tasks itself, into what the instance offers.
    assert beside.ecs_reserved_memory_mb == alone.ecs_reserved_memory_mb


def test_a_group_that_cannot_hold_the_most_tasks_is_refused_with_the_numbers_that_would_do(
    wanted: WantedFactory,
) -> None:
    with pytest.raises(TooFewInstancesError) as refused:
        plan(wanted(instance_max_count=3, task_max_count=24), find("c6a.xlarge"))
    assert isinstance(refused.value, SizingError)
    assert refused.value.fitting_instance_max_count == 4
    assert str(refused.value) == (
        "instance_max_count = 3 is room for 18 tasks, fewer than task_max_count = 24, and the rest would never "
        "start: set instance_max_count to 4, or task_max_count to 18 or less"
    )
    assert plan(wanted(instance_max_count=4, task_max_count=24), find("c6a.xlarge")).spare_places == 0
    assert plan(wanted(instance_max_count=3, task_max_count=17), find("c6a.xlarge")).spare_places == 1


def test_fewer_tasks_are_no_way_out_where_more_were_asked_for(wanted: WantedFactory) -> None:
    with pytest.raises(TooFewInstancesError, match=r"set instance_max_count to 4$"):
        plan(wanted(instance_max_count=3, task_min_count=20, task_max_count=24), find("c6a.xlarge"))


def test_a_deployment_of_one_task_needs_a_second_place(wanted: WantedFactory) -> None:
    one = {"instance_min_count": 1, "task_min_count": 1, "task_max_count": 1, "container_cpu_units": 1000}
    with pytest.raises(TooFewInstancesError) as refused:
        plan(wanted(**one, instance_max_count=1), find("t3.small"))
    assert str(refused.value) == (
        "instance_max_count = 1 is room for 1 task, fewer than the 2 that a deployment of 1 task needs, and it "
        "may stop none before another has started, so that it would wait for ever: set instance_max_count to 2"
    )
    assert plan(wanted(**one), find("t3.small")).instance_max_count == 2
    two_places = {**one, "container_cpu_units": 900}
    assert plan(wanted(**two_places, instance_max_count=1), find("t3.small")).tasks_per_instance == 2


@pytest.mark.parametrize(
    ("fewest", "most", "minimum_healthy_percent", "places"),
    [(1, 1, 50, 2), (1, 2, 50, 2), (2, 2, 50, 2), (1, 24, 50, 24), (12, 24, 50, 24), (1, 1, 0, 1), (2, 4, 100, 5)],
)
def test_places_that_a_deployment_needs(fewest: int, most: int, minimum_healthy_percent: int, places: int) -> None:
    # At 50 %, of two tasks and more one may stop before its successor starts: half of them, rounded up, stay.
    assert places_needed(fewest, most, minimum_healthy_percent) == places


def test_what_is_left_for_page_cache(wanted: WantedFactory) -> None:
    # What the kernel sees, less 300 MB for the system, less three tasks of 384 MB, or of 512 MB.
    small = find("t3.small")
    made = plan(wanted(), small)
    assert made.page_cache_memory_mb == small.registered_memory_mb - 300 - 3 * 384 == 449
    assert made.page_cache_memory_at_limits_mb == small.registered_memory_mb - 300 - 3 * 512 == 65
    beside = plan(wanted(), small, [DaemonTask(memory_mb=10, cpu_units=0)])
    assert beside.page_cache_memory_mb == made.page_cache_memory_mb - 10


def test_little_page_cache_is_warned_of_with_the_cheapest_type_that_has_enough(wanted: WantedFactory) -> None:
    made = plan(wanted(gunicorn_workers=1), find("c6a.xlarge"))
    # 7726 MB that the kernel sees, less 300 for the system, less 19 tasks of 384 and their mounts of 16.
    assert made.warnings == (
        "instance_type c6a.xlarge has -174 MB left for page cache beside the reservations of 19 tasks and 304 MB for "
        "mounts, and metadata of EFS and hot files need 250 MB: set instance_type to m6a.xlarge",
    )
    assert made.advice == ("instance_type=m6a.xlarge",)


def test_page_cache_is_little_below_250_mb(wanted: WantedFactory) -> None:
    # 1901 MB that the kernel sees, less 300 for the system, less a task and its mount of 16.
    def made(container_memory_mb: int, unseen_mb: int) -> TaskPlan:
        instance = replace(find("t3.small"), registered_memory_mb=1917 - unseen_mb)
        return plan(wanted(container_memory_mb=container_memory_mb, container_cpu_units=1900), instance)

    assert made(1200, 451).page_cache_memory_mb == 266
    assert made(1200, 451).warnings == ()
    (warning,) = made(1200, 452).warnings
    assert "has 249 MB left for page cache" in warning


@pytest.mark.parametrize(
    ("container_memory_mb", "workers", "connections"),
    [(128, 2, 66), (256, 2, 237), (512, 4, 257), (1024, 8, 267), (512, 1, 1221), (128, 8, 16)],
)
def test_connections_of_a_worker_follow_from_the_memory_that_idle_workers_leave(
    wanted: WantedFactory, container_memory_mb: int, workers: int, connections: int
) -> None:
    made = plan(wanted(container_memory_mb=container_memory_mb, gunicorn_workers=workers), find("m6a.xlarge"))
    assert made.worker_connections == connections


def test_too_little_memory_for_connections_is_warned_of_with_the_workers_that_leave_enough(
    wanted: WantedFactory,
) -> None:
    crowded: dict[str, Any] = {"container_memory_mb": 256, "container_cpu_units": 640}
    assert plan(wanted(**crowded, gunicorn_workers=7), find("c6a.xlarge")).warnings == ()
    made = plan(wanted(**crowded, gunicorn_workers=8), find("c6a.xlarge"))
    assert made.warnings == (
        "gunicorn_workers = 8 leave too little of container_memory_mb = 256 for the 128 connections of a burst: set "
        "gunicorn_workers to 7",
    )
    assert made.advice == ("gunicorn_workers=7",)


def test_tasks_that_fill_every_type_by_memory_are_advised_to_be_fewer_on_each(wanted: WantedFactory) -> None:
    small: dict[str, Any] = {"container_memory_reservation_mb": 64, "container_cpu_units": 11}
    made = plan(wanted(**small), find("m6a.xlarge"))
    assert (made.tasks_per_instance, made.bound_by) == (239, "memory")
    assert made.advice == ("container_cpu_units=21", "instance_min_count=3")
    advised = plan(wanted(**{**small, "container_cpu_units": 21, "instance_min_count": 3}), find("m6a.xlarge"))
    assert (advised.tasks_per_instance, advised.bound_by, advised.warnings) == (188, "cpu", ())


def test_an_instance_that_is_too_small_for_its_page_cache_and_like_no_known_one_has_no_advice(
    wanted: WantedFactory,
) -> None:
    huge = Instance.described("x9.huge", vcpu_count=64, memory_mb=1 << 20, architecture="x86_64", burstable=False)
    tight = replace(huge, memory_mb=1_000_000, registered_memory_mb=1_000_000 - 600)
    made = plan(wanted(container_memory_mb=999_100, container_memory_reservation_mb=999_000), tight)
    assert made.advice == ()
    (warning,) = made.warnings
    assert warning.endswith("no known x86_64 type holds such tasks: lower container_memory_mb or container_cpu_units")


def test_a_burstable_instance_is_warned_of_where_it_would_be_throttled(wanted: WantedFactory) -> None:
    made = plan(wanted(cpu_credits="standard"), find("t3.small"))
    # A fifth of two vCPU; three tasks of 640 units.
    assert (made.burstable_baseline_cpu_units, made.cpu_units_reserved) == (409, 1920)
    assert made.warnings == (
        "with cpu_credits = standard, instance_type t3.small is throttled to 409 CPU units once its CPU credits are "
        "spent, below the 1920 reserved by 3 tasks: set cpu_credits to unlimited",
    )
    large = {"container_memory_mb": 900, "container_memory_reservation_mb": 900}
    standard = {"cpu_credits": "standard", **large}
    assert plan(wanted(**standard, container_cpu_units=409), find("t3.small")).warnings == ()
    assert plan(wanted(**standard, container_cpu_units=410), find("t3.small")).warnings != ()
    for cpu_credits in (None, "unlimited"):
        assert plan(wanted(cpu_credits=cpu_credits), find("t3.small")).warnings == ()
    steady = plan(wanted(cpu_credits="standard"), find("c6a.large"))
    assert (steady.burstable_baseline_cpu_units, steady.warnings) == (None, ())


def test_an_arm_instance_is_advised_of_arm_instances(wanted: WantedFactory) -> None:
    made = plan(wanted(container_memory_mb=1290, container_cpu_units=128, instance_min_count=1), find("t4g.2xlarge"))
    assert made.advice == ("instance_type=t4g.large", "instance_min_count=5")


def test_a_warning_where_the_fewest_tasks_exceed_the_fewest_instances(wanted: WantedFactory) -> None:
    made = plan(wanted(task_min_count=13), find("c6a.xlarge"))
    assert made.warnings == (
        "task_min_count = 13 is above the 12 tasks that instance_min_count = 2 has room for, so that the rest wait "
        "until ECS managed scaling has added instances: set instance_min_count to 3",
    )
    assert made.advice == ("instance_min_count=3",)
    assert plan(wanted(task_min_count=13, instance_min_count=3), find("c6a.xlarge")).warnings == ()


def test_all_that_is_lacking_is_one_warning_with_one_advice(wanted: WantedFactory) -> None:
    settings = wanted(gunicorn_workers=1, task_min_count=40, task_max_count=40, instance_max_count=3)
    made = plan(settings, find("c6a.xlarge"))
    (warning,) = made.warnings
    assert "task_min_count = 40 is above" in warning
    assert "left for page cache" in warning
    assert warning.endswith(" and ".join(made.advice).replace("=", " to "))


def test_too_little_memory_names_what_would_fit(wanted: WantedFactory) -> None:
    with pytest.raises(InstanceTooSmallError) as refused:
        plan(wanted(container_memory_mb=1024), find("t3.micro"))
    assert isinstance(refused.value, SizingError)
    assert refused.value.missing == ("memory",)
    assert refused.value.fitting_instance_type == "t3.small"
    assert refused.value.fitting_container_memory_mb == 299
    assert str(refused.value) == (
        "instance_type t3.micro cannot hold one task of container_memory_mb = 1024, which reserves 768 MB of memory "
        "(224 left): set instance_type to t3.small, the cheapest known that does, or set container_memory_mb to 299 "
        "or less"
    )


def test_too_little_cpu_names_what_would_fit(wanted: WantedFactory) -> None:
    with pytest.raises(InstanceTooSmallError, match=r"2000 CPU units \(1920 left\)") as refused:
        plan(wanted(container_cpu_units=2000, gunicorn_workers=2), find("t3.small"))
    assert refused.value.missing == ("cpu",)
    assert refused.value.fitting_instance_type == "c6a.xlarge"
    assert refused.value.fitting_container_memory_mb is None
    assert str(refused.value).endswith(", or lower container_cpu_units")


@pytest.mark.parametrize(
    ("settings", "missing"),
    [
        ({"container_memory_reservation_mb": 1248, "container_cpu_units": 1921}, ("cpu",)),
        ({"container_memory_reservation_mb": 1249, "container_cpu_units": 1920}, ("memory",)),
        ({"container_memory_reservation_mb": 1249, "container_cpu_units": 1921}, ("memory", "cpu")),
    ],
)
def test_what_just_fits_is_not_missing(
    wanted: WantedFactory, settings: dict[str, int], missing: tuple[str, ...]
) -> None:
    with pytest.raises(InstanceTooSmallError) as refused:
        plan(wanted(container_memory_mb=2048, **settings), find("t3.small"))
    assert refused.value.missing == missing


def test_a_smaller_container_is_not_smaller_than_the_reservation_that_was_set(wanted: WantedFactory) -> None:
    one_vcpu = Instance.described("x1.any", vcpu_count=1, memory_mb=8192, architecture="x86_64", burstable=False)
    with pytest.raises(InstanceTooSmallError) as refused:
        plan(wanted(container_memory_mb=1024, container_memory_reservation_mb=700), one_vcpu)
    assert refused.value.fitting_container_memory_mb == 767
    with pytest.raises(InstanceTooSmallError) as refused:
        plan(wanted(container_memory_mb=1024, container_memory_reservation_mb=800), one_vcpu)
    assert refused.value.fitting_container_memory_mb is None


def test_too_little_of_both_names_both_settings(wanted: WantedFactory) -> None:
    with pytest.raises(InstanceTooSmallError, match="lower container_memory_mb and gunicorn_workers") as refused:
        plan(wanted(container_memory_mb=2048, gunicorn_workers=16), find("t3.small"))
    assert refused.value.missing == ("memory", "cpu")


def test_an_arm_instance_is_replaced_by_an_arm_instance(wanted: WantedFactory) -> None:
    with pytest.raises(InstanceTooSmallError) as refused:
        plan(wanted(container_memory_mb=2048), find("t4g.small"))
    assert refused.value.fitting_instance_type == "t4g.medium"


def test_where_nothing_fits_the_error_says_so(wanted: WantedFactory) -> None:
    with pytest.raises(InstanceTooSmallError, match="larger than any x86_64 type in the catalogue") as refused:
        plan(wanted(container_memory_mb=65536), find("t3.nano"))
    assert refused.value.fitting_instance_type is None
    assert refused.value.fitting_container_memory_mb is None


def test_daemon_tasks_may_leave_no_room(wanted: WantedFactory) -> None:
    with pytest.raises(InstanceTooSmallError, match=r"\(0 left\)"):
        plan(wanted(), find("t3.small"), [DaemonTask(memory_mb=2000, cpu_units=0)])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"container_memory_reservation_mb": 513},
            "container_memory_reservation_mb = 513 is above container_memory_mb",
        ),
        ({"instance_max_count": 1}, "instance_min_count = 2 is above instance_max_count = 1"),
        ({"task_min_count": 4, "task_max_count": 3}, "task_min_count = 4 is above task_max_count = 3"),
        ({"instance_min_count": 0}, "instance_min_count = 0 is below 1"),
        ({"instance_max_count": 0}, "instance_max_count = 0 is below 1"),
        ({"container_memory_mb": -5}, "container_memory_mb = -5 is below 1"),
        ({"container_memory_mb": 1}, "container_memory_reservation_mb = 0 is below 1"),
        ({"container_cpu_units": 0}, "container_cpu_units = 0 is below 1"),
        ({"gunicorn_workers": 0}, "gunicorn_workers = 0 is below 1"),
        ({"task_max_count": 0}, "task_max_count = 0 is below 1"),
    ],
)
def test_contradictions_are_refused(wanted: WantedFactory, settings: dict[str, int], sentence: str) -> None:
    with pytest.raises(PlanError, match=sentence) as refused:
        plan(wanted(**settings), find("c6a.xlarge"))
    assert isinstance(refused.value, SizingError)


def test_a_described_type_plans_too(wanted: WantedFactory) -> None:
    instance = Instance.described("m8g.large", vcpu_count=2, memory_mb=8192, architecture="arm64", burstable=False)
    made = plan(wanted(), instance)
    assert (made.instance_type, made.tasks_per_instance) == ("m8g.large", 3)
