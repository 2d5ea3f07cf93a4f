"""A load on AWS observed: every metric has values or a reason, and nothing stays on the instances."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.deployment.aws.observe.cloudwatch_metrics import METRICS
from bench.deployment.aws.observe.host_sampler import sampler
from bench.deployment.aws.observe.observation import AwsObservation, observed
from bench.deployment.aws.observe.settled import LAG_S
from tests.bench.deployment.aws.clock import WaitingClock
from tests.bench.deployment.aws.observe.cloudwatch_answers import CloudWatchAnswers
from tests.bench.deployment.aws.observe.host_sampler.shell_ssm import ShellSsm
from tests.bench.deployment.aws.recorded_aws import DENIED, RecordedAws
from tests.bench.deployment.aws.scripted_stack import ACCOUNT, NOW, ScriptedStack, running_task, stopped_task
from tests.bench.deployment.aws.stack import handles

ONE, LATE = "i-0123456789abcdef0", "i-0fedcba9876543210"
START = NOW.timestamp()
MINUTE = 60.0


class Observed:
    """A stack with one instance and one task, under a load of two minutes."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sampler, "INTERVAL_S", 0.05)
        self.ssm = ShellSsm(folder, managed=(ONE, LATE))
        self.cloudwatch = CloudWatchAnswers()
        self.stack = ScriptedStack(handles(), running=[running_task(handles(), "0a1b")])
        self.instances = [ONE]
        self.clock = WaitingClock()
        self.aws = RecordedAws(
            monkeypatch,
            {
                **self.stack.answers,
                **self.ssm.answers,
                "cloudwatch:GetMetricData": self.cloudwatch,
                "ecs:ListContainerInstances": lambda _: {"containerInstanceArns": [*map(_arn, self.instances)]},
                "ecs:DescribeContainerInstances": lambda _: {
                    "containerInstances": [
                        {"containerInstanceArn": _arn(one), "ec2InstanceId": one} for one in self.instances
                    ]
                },
            },
        )

    def load(self, during: Callable[[], object] = lambda: None) -> AwsObservation:
        with observed(
            self.aws.session,
            handles(),
            limit_s=60,
            clock=self.clock,
            wall_clock=lambda: START + self.clock.now_s,
            sleep=self.clock.sleep,
        ) as observation:
            during()
            self.clock.now_s += 2 * MINUTE
        return observation

    def wait_for_samples(self, instance_id: str = ONE, count: int = 3) -> None:
        file, deadline = self.ssm.sampler_folder(instance_id) / "samples", time.monotonic() + 60
        while not file.exists() or file.read_text().count("\nend\n") < count:
            assert time.monotonic() < deadline, "the sampler writes nothing"
            time.sleep(0.02)


@pytest.fixture
def on_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Observed]:
    found = Observed(tmp_path, monkeypatch)
    yield found
    found.ssm.end()


def _arn(instance_id: str) -> str:
    return f"{ACCOUNT}:container-instance/x/{instance_id}"


def test_each_metric_has_values_or_a_reason(on_aws: Observed) -> None:
    on_aws.cloudwatch.values[("TargetResponseTime", "p95")] = {START: 0.25, START + MINUTE: 0.5}
    on_aws.cloudwatch.values[("TaskCpuUtilization", "Average")] = {START: 160.0}
    found = {(one.metric, one.subject): one for one in on_aws.load(on_aws.wait_for_samples).series}
    assert {row.metric for row in METRICS} <= {metric for metric, _ in found}
    assert all(bool(one.values) != bool(one.absence) for one in found.values())
    assert found["balancer_response_time_p95", "balancer"].values == [0.25, 0.5]
    assert found["task_cpu", "0a1bffffffff"].values == [1.0]
    assert found["instance_memory", ONE].source == "/proc/meminfo by SSM"
    assert len(found["instance_memory", ONE].values) >= 3
    assert found["service_memory", "service"].absence == f"empty after {LAG_S:.0f} s"
    assert "X-Served-By" in (found["task_requests", "task"].absence or "")


def test_metrics_are_those_of_docs_metrics(on_aws: Observed) -> None:
    page = Path(__file__).parents[5] / "docs" / "metrics.md"
    if not page.exists():
        pytest.skip("docs/metrics.md is not there yet")
    known: dict[str, str] = {}
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 4:
            known |= dict.fromkeys(re.findall(r"`([a-z0-9_]+)`", cells[1]), cells[3])
    for one in on_aws.load(on_aws.wait_for_samples).series:
        assert known[one.metric] == one.unit, one.metric


def test_nothing_stays_on_the_instances(on_aws: Observed) -> None:
    on_aws.load(on_aws.wait_for_samples)
    assert not on_aws.ssm.sampler_folder(ONE).exists()


def test_after_a_load_that_failed_nothing_is_waited_for_or_left(on_aws: Observed) -> None:
    def fail() -> None:
        on_aws.wait_for_samples()
        raise RuntimeError("the load failed")

    with pytest.raises(RuntimeError, match="the load failed"):
        on_aws.load(fail)
    assert on_aws.cloudwatch.calls == 0
    assert on_aws.clock.now_s < 10
    assert not on_aws.ssm.sampler_folder(ONE).exists()


def test_the_agent_of_cloudwatch_stands_in_where_there_is_no_sampler(on_aws: Observed) -> None:
    on_aws.ssm.managed = ()
    on_aws.cloudwatch.values[("mem_used_percent", "Maximum")] = {START: 50.0}
    found = {one.metric: one for one in on_aws.load().series}
    assert (found["instance_memory"].values, found["instance_memory"].unit) == ([4096.0], "MB")
    assert found["instance_memory"].source.startswith("CloudWatch CWAgent")
    assert found["nfs_operations"].absence == "SSM does not manage the instance: its agent has not called in"
    assert found["instance_iowait"].absence == (
        f"SSM does not manage the instance: its agent has not called in; empty after {LAG_S:.0f} s"
    )


def test_instances_and_tasks_that_came_during_the_load_are_in_it(on_aws: Observed) -> None:
    def grow() -> None:
        on_aws.wait_for_samples()
        on_aws.instances.append(LATE)
        on_aws.stack.running.append(running_task(handles(), "0c2d"))

    found = {(one.metric, one.subject): one for one in on_aws.load(grow).series}
    assert found["nfs_operations", LATE].absence == "the instance joined the cluster during the load"
    assert ("task_cpu", "0a1bffffffff") in found
    assert ("task_cpu", "0c2dffffffff") in found


def test_tasks_that_ended_during_the_load_are_failures(on_aws: Observed) -> None:
    memory = "OutOfMemoryError: Container killed due to memory usage"
    during = NOW + timedelta(minutes=1)
    on_aws.stack.stopped = [stopped_task(handles(), "ff", at=during, exitCode=137, reason=memory)]
    failures = on_aws.load(on_aws.wait_for_samples).failures
    assert failures.lost_tasks == ("ff",)
    assert memory in failures.oom_kills[0]


def test_what_was_waited_for_and_what_the_file_system_did_is_noted(on_aws: Observed) -> None:
    notes = on_aws.load(on_aws.wait_for_samples).notes
    assert notes[0] == f"CloudWatch was asked again for {LAG_S:.0f} s after the load, then two answers agreed"
    assert any(note.startswith(f"NFS operations of {ONE}: ") for note in notes)


def _denied(on_aws: Observed) -> dict[str, Any]:
    return dict.fromkeys(on_aws.aws.answers, DENIED)


def test_a_caller_without_any_permission_gets_reasons(on_aws: Observed) -> None:
    on_aws.aws.answers |= _denied(on_aws)
    observation = on_aws.load()
    reasons = {one.metric: one.absence for one in observation.series}
    assert {row.metric for row in METRICS} <= reasons.keys()
    assert reasons["service_cpu"] == "no permission for cloudwatch:GetMetricData"
    assert reasons["task_cpu"] == "no permission for ecs:ListTasks"
    assert reasons["nfs_operations"] == "no permission for ecs:ListContainerInstances"
    assert all(one.values == [] for one in observation.series)
    assert "whether tasks stopped is not known: no permission for ecs:ListTasks" in observation.notes
