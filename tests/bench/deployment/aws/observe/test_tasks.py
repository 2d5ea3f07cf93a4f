"""Tasks as ECS describes them, and which of their ends are failures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bench.deployment.aws.observe.failures import failures_of
from bench.deployment.aws.observe.tasks import running_tasks, stopped_tasks
from tests.bench.deployment.aws.recorded_aws import RecordedAws
from tests.bench.deployment.aws.scripted_stack import NOW, ScriptedStack, running_task, stopped_task
from tests.bench.deployment.aws.stack import handles

START = NOW.timestamp()


def _aws(monkeypatch: pytest.MonkeyPatch, **state: Any) -> RecordedAws:
    return RecordedAws(monkeypatch, ScriptedStack(handles(), **state).answers)


def test_every_task_of_a_long_list_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [running_task(handles(), f"{number:032x}") for number in range(250)]
    aws = _aws(monkeypatch, running=tasks)
    assert [task.id for task in running_tasks(aws.session, handles())] == [f"{number:032x}" for number in range(250)]
    assert [len(call["tasks"]) for call in aws.calls_of("ecs:DescribeTasks")] == [100, 100, 50]


def test_a_task_is_named_as_its_answers_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker gives a container the first 12 characters of its id for a host name, and X-Served-By is the host name."""
    (task,) = running_tasks(_aws(monkeypatch, running=[running_task(handles(), "0a1b")]).session, handles())
    assert task.name == "0a1bffffffff"
    assert (task.zone, task.image_digest) == ("us-west-2a", "sha256:0123")


def test_a_task_without_a_container_yet_is_named_by_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    pending = running_task(handles(), "0123456789abcdef")
    del pending["containers"][0]["runtimeId"], pending["containerInstanceArn"]
    (task,) = running_tasks(_aws(monkeypatch, running=[pending]).session, handles())
    assert (task.name, task.instance_arn) == ("0123456789ab", "")


def test_stops_are_those_since_then_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = [
        stopped_task(handles(), task_id, at=NOW + timedelta(seconds=after_s))
        for task_id, after_s in (("a", -1), ("b", 10), ("c", 20))
    ]
    found = stopped_tasks(_aws(monkeypatch, stopped=stopped).session, handles(), START)
    assert [stop.task.id for stop in found] == ["c", "b"]


def test_failures_are_the_stops_that_nobody_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    scaling = "Scaling activity initiated by (deployment ecs-svc/1)"
    memory = "OutOfMemoryError: Container killed due to memory usage"
    unhealthy = "Task failed ELB health checks in (target-group x)"
    stopped = [
        stopped_task(handles(), "a", code="ServiceSchedulerInitiated", why=scaling, exitCode=0),
        stopped_task(handles(), "b", exitCode=137, reason=memory),
        stopped_task(handles(), "c", code="ServiceSchedulerInitiated", why=unhealthy, exitCode=0),
        stopped_task(handles(), "d", exitCode=137),  # killed, and nobody says why
    ]
    stops = stopped_tasks(_aws(monkeypatch, stopped=stopped).session, handles(), START)
    failures = failures_of(stops, {"i-1": 0})
    assert failures.oom_kills == (
        "task b: EssentialContainerExited: Essential container in task exited; container pypiserver: exit code 137, "
        f"{memory}",
    )
    assert failures.lost_tasks == ("b",)
    assert sorted(failures.ended) == [
        f"task c: ServiceSchedulerInitiated: {unhealthy}; container pypiserver: exit code 0",
        "task d: EssentialContainerExited: Essential container in task exited; container pypiserver: exit code 137",
    ]


def test_workers_that_the_kernel_killed_are_failures_although_the_task_lives() -> None:
    failures = failures_of([], {"i-1": 0, "i-2": 3})
    assert failures.oom_kills == ("instance i-2: the kernel killed processes for want of memory: 3",)
    assert failures.lost_tasks == ()
