"""Waiting for a stack: what it reports, when it ends, and how it says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bench.common.failures import UnavailableError
from bench.deployment.aws.health.waiting import UnhealthyStackError, wait_until_healthy
from tests.bench.deployment.aws.recorded_aws import DENIED, RecordedAws
from tests.bench.deployment.aws.scripted_stack import (
    NOW,
    ScriptedStack,
    activity,
    running_task,
    stopped_task,
    target,
)
from tests.bench.deployment.aws.stack import handles

SINCE = (NOW - timedelta(minutes=30)).timestamp()
EARLIER = NOW - timedelta(hours=2)


@dataclass
class Waiting:
    """A wait on a clock that only sleeping moves on; `each_sleep` changes the stack meanwhile."""

    aws: RecordedAws
    reported: list[str] = field(default_factory=list)
    waited_s: float = 0.0
    each_sleep: Callable[[], object] = lambda: None

    def run(self, timeout_s: float = 600.0) -> None:
        wait_until_healthy(
            self.aws.session,
            handles(),
            self.reported.append,
            since_unix_s=SINCE,
            timeout_s=timeout_s,
            clock=lambda: self.waited_s,
            sleep=self._sleep,
        )

    def failure(self, timeout_s: float = 600.0) -> UnhealthyStackError:
        with pytest.raises(UnhealthyStackError) as caught:
            self.run(timeout_s)
        return caught.value

    def _sleep(self, duration_s: float) -> None:
        self.waited_s += duration_s
        self.each_sleep()


@pytest.fixture
def stack() -> ScriptedStack:
    return ScriptedStack(handles())


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch, stack: ScriptedStack) -> Waiting:
    return Waiting(RecordedAws(monkeypatch, stack.answers))


def test_a_healthy_stack_is_not_waited_for(waiting: Waiting) -> None:
    waiting.run()
    assert (waiting.reported, waiting.waited_s) == ([], 0.0)


def test_each_change_is_reported_once(waiting: Waiting, stack: ScriptedStack) -> None:
    stack.instances, stack.tasks, stack.targets = 1, 0, []

    def steps() -> Iterator[None]:
        yield  # nothing has changed
        stack.instances, stack.tasks, stack.targets = 2, 12, [target("initial")] * 12
        yield
        stack.targets = [target("healthy")] * 12
        stack.rollout = {"rolloutState": "IN_PROGRESS"}
        yield
        stack.rollout = {"rolloutState": "COMPLETED"}
        yield

    going = steps()
    waiting.each_sleep = lambda: next(going)
    waiting.run()
    assert waiting.reported == [
        "instances registered 1 of 2, tasks running 0 of 12, targets healthy 0 of 12",
        "targets healthy 0 of 12",
        "the deployment to be complete",
    ]


def test_tasks_that_do_not_stay_up_are_reported_while_it_waits(waiting: Waiting, stack: ScriptedStack) -> None:
    stack.tasks, stack.rollout = 10, {"rolloutState": "IN_PROGRESS", "failedTasks": 1}

    def end() -> None:
        stack.tasks, stack.rollout = 12, {"rolloutState": "COMPLETED", "failedTasks": 1}

    waiting.each_sleep = end
    waiting.run()
    assert waiting.reported == ["tasks running 10 of 12; 1 task failed so far"]


def test_tasks_that_scaling_asks_for_are_waited_for(waiting: Waiting, stack: ScriptedStack) -> None:
    stack.desired = 14
    waiting.failure(timeout_s=10)
    assert waiting.reported == ["tasks running 12 of 14, targets healthy 12 of 14"]


def test_a_service_that_was_scaled_below_its_start_is_not_healthy(waiting: Waiting, stack: ScriptedStack) -> None:
    stack.desired = stack.tasks = 0
    waiting.failure(timeout_s=10)
    assert waiting.reported == ["tasks running 0 of 12"]


def test_a_time_out_says_what_is_missing_and_why(waiting: Waiting, stack: ScriptedStack) -> None:
    stack.targets = [target("healthy")] * 10 + [target("unhealthy", "Target.Timeout", "Request timed out")] * 2
    failure = waiting.failure(timeout_s=60)
    assert str(failure) == (
        "the stack does not become healthy: after 60 s it waits for targets healthy 10 of 12: "
        "2 targets unhealthy: Target.Timeout: Request timed out: remove the cause and run again; health.txt in the "
        "results folder has all that AWS says"
    )
    assert waiting.waited_s == 60


def test_a_deployment_that_ecs_gave_up_ends_the_wait_at_once(waiting: Waiting, stack: ScriptedStack) -> None:
    stack.tasks, stack.targets = 0, []
    stack.rollout = {"rolloutState": "FAILED", "rolloutStateReason": "tasks failed to start"}
    failure = waiting.failure()
    assert "ECS gave the deployment of pypiserver-" in str(failure)
    assert "tasks failed to start" in str(failure)
    assert waiting.waited_s == 0


def test_a_rollback_ends_the_wait_at_once_although_all_is_healthy(waiting: Waiting, stack: ScriptedStack) -> None:
    stack.task_definition_arn = "arn:aws:ecs:us-west-2:123456789012:task-definition/older:7"
    assert "the service runs older:7, to which ECS has rolled the deployment back" in str(waiting.failure())
    assert waiting.waited_s == 0


def test_a_service_that_is_gone_ends_the_wait_at_once(waiting: Waiting, stack: ScriptedStack) -> None:
    stack.service_status = "INACTIVE"
    assert "the service is INACTIVE" in str(waiting.failure())


@pytest.mark.parametrize(
    "message",
    [
        "You have requested more vCPU capacity than your current vCPU limit of 4 allows for the instance bucket.",
        "You are not authorized to perform this operation. User: x is not authorized to perform: ec2:RunInstances",
        "Instance became unhealthy while waiting. Termination Reason: Client.InternalError: Client error on launch",
    ],
)
def test_a_launch_that_somebody_must_help_ends_the_wait_at_once(
    waiting: Waiting, stack: ScriptedStack, message: str
) -> None:
    stack.instances = 1
    stack.activities = [activity("Failed", message)]
    failure = waiting.failure()
    assert f"instances registered 1 of 2: no instance could be launched: {message}" in str(failure)
    assert waiting.waited_s == 0


def test_capacity_that_a_zone_lacks_is_waited_for(waiting: Waiting, stack: ScriptedStack) -> None:
    stack.instances = 1
    stack.activities = [activity("Failed", "InsufficientInstanceCapacity: no c6a.xlarge in us-west-2a")]
    waiting.each_sleep = lambda: setattr(stack, "instances", 2)
    waiting.run()
    assert waiting.waited_s > 0


def test_what_failed_before_the_deployment_is_no_reason(waiting: Waiting, stack: ScriptedStack) -> None:
    stack.instances = 1
    stack.activities = [activity("Failed", "your current vCPU limit of 4", at=EARLIER)]
    stack.stopped = [stopped_task(handles(), "0a", at=EARLIER, exitCode=1)]
    failure = waiting.failure(timeout_s=10)
    assert "vCPU" not in str(failure)
    assert "stopped, " not in str(failure)
    assert waiting.waited_s == 10


def test_tasks_that_end_are_told_with_their_exit_code_and_last_words(waiting: Waiting, stack: ScriptedStack) -> None:
    stack.tasks, stack.targets = 0, []
    stack.stopped = [stopped_task(handles(), f"{number:02x}", exitCode=3) for number in range(25)]
    stack.logs = {handles().log_stream("00"): ["Traceback", "ModuleNotFoundError: No module named 'gevent'\n", " "]}
    failure = waiting.failure(timeout_s=10)
    assert (
        "25 tasks stopped, 25 of them with EssentialContainerExited: Essential container in task exited; "
        "container pypiserver: exit code 3; "
        "the log of one ends with \"ModuleNotFoundError: No module named 'gevent'\"" in str(failure)
    )
    assert "  Traceback" in failure.details


def test_an_image_that_cannot_be_pulled_is_told(waiting: Waiting, stack: ScriptedStack) -> None:
    pull = "CannotPullContainerError: pull image manifest has been retried 7 time(s)"
    stack.tasks, stack.targets = 0, []
    stack.stopped = [stopped_task(handles(), "0a", code="TaskFailedToStart", why="Task failed to start", reason=pull)]
    assert f"TaskFailedToStart: Task failed to start; container pypiserver: {pull}" in str(waiting.failure(10))


def test_tasks_that_scaling_stopped_are_no_reason(waiting: Waiting, stack: ScriptedStack) -> None:
    stack.tasks = 11
    stack.stopped = [
        stopped_task(
            handles(),
            "0a",
            code="ServiceSchedulerInitiated",
            why="Scaling activity initiated by (deployment ecs-svc/1)",
            exitCode=0,
        )
    ]
    stack.logs = {handles().log_stream("0a"): ["[INFO] Shutting down: Master"]}
    failure = waiting.failure(timeout_s=10)
    assert "AWS gives no reason" in str(failure)
    assert any("Scaling activity initiated by" in line for line in failure.details)


def test_an_event_of_the_service_is_a_reason_unless_it_is_a_usual_one(waiting: Waiting, stack: ScriptedStack) -> None:
    unplaced = "(service x) was unable to place a task because no container instance met all of its requirements."
    stack.tasks = 6
    stack.events = ["(service x) has started 6 tasks: (task 0a).", unplaced, "(service x) has reached a steady state."]
    failure = waiting.failure(timeout_s=10)
    assert f"waits for tasks running 6 of 12: {unplaced}" in str(failure)
    assert "  09:30:00 (service x) has started 6 tasks: (task 0a)." in failure.details


def test_logs_of_running_tasks_are_in_the_details_where_none_ended(waiting: Waiting, stack: ScriptedStack) -> None:
    stack.targets = []
    stack.running = [running_task(handles(), "0a")]
    stack.logs = {handles().log_stream("0a"): ["[INFO] Listening at: http://0.0.0.0:8080"]}
    assert "  [INFO] Listening at: http://0.0.0.0:8080" in waiting.failure(timeout_s=10).details


def test_sources_that_refuse_say_so_and_leave_the_others(waiting: Waiting, stack: ScriptedStack) -> None:
    stack.tasks, stack.targets = 0, []
    stack.stopped = [stopped_task(handles(), "0a", exitCode=3)]
    waiting.aws.answers["logs:GetLogEvents"] = DENIED
    waiting.aws.answers["autoscaling:DescribeScalingActivities"] = DENIED
    failure = waiting.failure(timeout_s=10)
    assert "1 task stopped" in str(failure)
    assert "  not known: no permission for logs:GetLogEvents" in failure.details
    assert "  not known: no permission for autoscaling:DescribeScalingActivities" in failure.details


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("ecs:DescribeServices", "ecs:DescribeServices"),
        ("elbv2:DescribeTargetHealth", "elasticloadbalancing:DescribeTargetHealth"),
    ],
)
def test_a_status_that_nobody_may_see_ends_the_wait(waiting: Waiting, operation: str, action: str) -> None:
    waiting.aws.answers[operation] = DENIED
    with pytest.raises(UnavailableError, match=f"not known: no permission for {action}"):
        waiting.run()


def test_nothing_of_the_environment_is_quoted(waiting: Waiting, stack: ScriptedStack) -> None:
    """Variables of a task may hold what a person has put there: no call that gives them is made."""
    stack.tasks, stack.targets = 0, []
    stack.stopped = [stopped_task(handles(), "0a", exitCode=3)]
    waiting.failure(timeout_s=10)
    assert "ecs:DescribeTaskDefinition" not in {name for name, _ in waiting.aws.calls}
