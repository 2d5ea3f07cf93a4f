"""Known answers, warnings and refusals of the plan."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sizing import DaemonTask, Instance, InstanceTooSmallError, PlanError, SizingError, SizingSettings, find, plan
from sizing.capacity import (
    cpu_units_for_tasks,
    instance_max_count,
    memory_for_tasks_mb,
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
        "gunicorn_workers": 4,
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
        "warnings": [],
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
    assert not small.warnings


def test_many_small_tasks_whose_mounts_take_the_page_cache_are_warned_of(wanted: WantedFactory) -> None:
    def warnings(container_cpu_units: int) -> tuple[str, ...]:
        return plan(wanted(container_cpu_units=container_cpu_units), find("c6a.2xlarge")).warnings

    assert warnings(8064 // 15) == ()
    (warning,) = warnings(8064 // 16)
    assert warning.startswith("the mounts of 16 tasks on an instance take about 256 of the 500 MB")


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


def test_a_warning_where_the_most_tasks_exceed_the_most_instances(wanted: WantedFactory) -> None:
    made = plan(wanted(instance_max_count=3, task_max_count=24), find("c6a.xlarge"))
    (warning,) = made.warnings
    assert "task_max_count = 24 is above the 18 tasks" in warning
    assert "set instance_max_count to 4, or task_max_count to 18 or less" in warning
    assert plan(wanted(instance_max_count=4, task_max_count=24), find("c6a.xlarge")).warnings == ()
    assert plan(wanted(instance_max_count=3, task_max_count=18), find("c6a.xlarge")).warnings == ()


def test_a_warning_where_the_fewest_tasks_exceed_the_fewest_instances(wanted: WantedFactory) -> None:
    made = plan(wanted(task_min_count=13), find("c6a.xlarge"))
    (warning,) = made.warnings
    assert "task_min_count = 13 is above the 12 tasks" in warning
    assert "managed scaling adds instances" in warning
    assert "set instance_min_count to 3" in warning
    assert plan(wanted(task_min_count=13, instance_min_count=3), find("c6a.xlarge")).warnings == ()


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
