"""Handles of a stack, read from its resolved graph."""

from __future__ import annotations

from hashlib import sha256

import pytest

from bench.deployment.aws.observe.handles import read_handles
from bench.deployment.graph import Graph, GraphError
from bench.deployment.stack_config import PROJECT_FOLDER, load_stack
from pypiserver_stack.tasks.server_files import packed
from tests.bench.deployment.aws.stack import handles
from tests.evaluation_cache import deployment_of


def test_handles_are_those_that_the_stack_exports() -> None:
    deployment = deployment_of(load_stack(PROJECT_FOLDER, "stress")[0])
    found, outputs = read_handles(deployment.graph), deployment.outputs
    assert found.cluster == outputs["ecs_cluster_name"]
    assert found.service == outputs["ecs_service_name"]
    assert found.task_definition_arn == outputs["task_definition_arn"]
    assert found.load_balancer_arn == outputs["load_balancer_arn"]
    assert found.auto_scaling_group == outputs["asg_name"]
    assert found.file_system_id == outputs["file_system_id"]
    assert (found.task_count, found.instance_count) == (12, 2)
    assert (found.instance_type, found.instance_memory_mb, found.cpu) == ("c6a.xlarge", 8192, "fixed")
    assert (found.task_vcpus, found.task_reservation_mb) == (640 / 1024, 384)
    assert (found.container_insights, found.efs_throughput_mode) == ("enhanced", "elastic")


def test_suffixes_are_those_of_the_dashboard() -> None:
    """CloudWatch's dimensions take the part of an ARN that the load balancer's metrics are published with."""
    graph = deployment_of(load_stack(PROJECT_FOLDER, "stress")[0]).graph
    balancer = graph.one("aws:lb/loadBalancer:LoadBalancer").outputs["arnSuffix"]
    assert handles().load_balancer == balancer
    assert handles().target_group == graph.one("aws:lb/targetGroup:TargetGroup").outputs["arnSuffix"]


def test_the_digest_is_that_of_the_files_in_this_folder() -> None:
    assert handles().server_files_sha256 == sha256(packed().encode()).hexdigest()


def test_burstable_instances_have_credits() -> None:
    assert handles(instance_type="t3.small").cpu == "burstable"


def test_the_log_stream_is_named_as_the_driver_names_it() -> None:
    assert handles().log_stream("0123abc") == "pypiserver/pypiserver/0123abc"


def test_a_graph_without_a_service_is_refused() -> None:
    with pytest.raises(GraphError, match="aws:ecs/service:Service"):
        read_handles(Graph({}))
