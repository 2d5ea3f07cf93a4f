"""The stress stack in moto, looked at over HTTP: every call is one that AWS's own client sends and understands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bench.deployment.aws import session as session_module
from bench.deployment.aws.health.reasons import diagnose
from bench.deployment.aws.health.status import health_status
from bench.deployment.aws.observe.handles import StackHandles, read_handles
from bench.deployment.aws.observe.observation import observed
from bench.deployment.aws.observe.snapshot import snapshot
from bench.deployment.aws.session import AwsSession
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.stack_config import PROJECT_FOLDER, load_stack
from tests.aws_stand_in.endpoint import aws_endpoint
from tests.aws_stand_in.mirrored_cloud import MirroredCloud
from tests.bench.deployment.aws.clock import WaitingClock


class OnStandIn:
    """The stack, with one instance in its cluster."""

    def __init__(self, handles: StackHandles) -> None:
        self.handles = handles
        self.session = AwsSession(handles.region)
        (instance,) = self.session.client("ec2").run_instances(
            ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1, InstanceType=handles.instance_type
        )["Instances"]
        self.instance_id: str = instance["InstanceId"]
        self.session.client("ecs").register_container_instance(
            cluster=handles.cluster, instanceIdentityDocument=json.dumps({"instanceId": self.instance_id})
        )

    def publish(self, namespace: str, name: str, value: float, **dimensions: str) -> None:
        data = {
            "MetricName": name,
            "Value": value,
            "Timestamp": datetime.now(UTC),
            "Dimensions": [{"Name": key, "Value": of} for key, of in dimensions.items()],
        }
        self.session.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[data])


@pytest.fixture(scope="module")
def stack() -> Iterator[OnStandIn]:
    with aws_endpoint(), pytest.MonkeyPatch.context() as monkeypatch:
        # What moto cannot do it answers with 500, which is worth another attempt on AWS alone.
        monkeypatch.setattr(session_module, "_RETRIES", {"mode": "standard", "max_attempts": 1})
        graph = EmbeddedEngine(MirroredCloud(), PROJECT_FOLDER).up(load_stack(PROJECT_FOLDER, "stress")[0]).graph
        yield OnStandIn(read_handles(graph))


def test_health_is_that_of_a_stack_without_tasks(stack: OnStandIn) -> None:
    status = health_status(stack.session, stack.handles)
    assert str(status) == "instances registered 1 of 2, tasks running 0 of 12, targets healthy 0 of 12"
    assert (status.is_healthy, status.hopeless) == (False, "")


def test_every_source_of_reasons_answers(stack: OnStandIn) -> None:
    details = diagnose(stack.session, stack.handles, 0).details
    assert not [line for line in details if "not known" in line]
    assert details.count("  none") == 5


def test_every_fact_is_known(stack: OnStandIn) -> None:
    facts = dict(snapshot(stack.session, stack.handles))
    assert not [value for value in facts.values() if "not known:" in value]
    assert facts["file system"].startswith("elastic throughput, generalPurpose")
    assert facts["targets"] == "none registered"


def test_metrics_that_are_published_arrive_and_others_give_reasons(stack: OnStandIn) -> None:
    handles, clock = stack.handles, WaitingClock()
    with observed(stack.session, handles, limit_s=60, clock=clock, sleep=clock.sleep) as observation:
        group = {"AutoScalingGroupName": handles.auto_scaling_group, "InstanceId": stack.instance_id}
        stack.publish("CWAgent", "mem_used_percent", 25.0, **group)
        stack.publish("AWS/EFS", "DataReadIOBytes", 120 * 2**20, FileSystemId=handles.file_system_id)
        # moto knows no percentiles, and answers with an error.
        targets: Any = {"LoadBalancer": handles.load_balancer, "TargetGroup": handles.target_group}
        stack.publish("AWS/ApplicationELB", "TargetResponseTime", 0.5, **targets)
    found = {one.metric: one for one in observation.series}
    memory = found["instance_memory"]
    assert (memory.values, memory.absence) == ([2048.0], None)
    assert found["efs_data_read"].values == [2.0]
    assert found["service_cpu"].absence == "empty after 180 s"
    assert "cloudwatch:GetMetricData failed with 500" in (found["balancer_response_time_p95"].absence or "")
    assert "ssm:DescribeInstanceInformation failed with 500" in (found["nfs_operations"].absence or "")
