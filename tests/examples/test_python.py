"""The example in Python: a program that makes network, zone and key itself, and has the index take them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.deployment.engine import Deployment, StackConfig
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.graph import Graph
from bench.deployment.local_cloud import LocalCloud, computed

EXAMPLE = Path(__file__).parents[2] / "examples" / "python"
ZONE_ID = "Z0123456789ABCDEFGHIJ"


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    zone = {"aws:route53/zone:Zone": lambda identity, inputs: (ZONE_ID, {"zoneId": ZONE_ID})}
    monkeypatch.setattr(computed, "RESOURCES", {**computed.RESOURCES, **zone})
    return EmbeddedEngine(LocalCloud(), EXAMPLE).up(StackConfig("wheels", "dev", {}))


def ids(graph: Graph, type_: str) -> dict[str, str]:
    return {resource.name: resource.id for resource in graph.of_type(type_)}


def test_the_index_is_where_and_as_the_program_says(deployment: Deployment) -> None:
    graph = deployment.graph
    assert deployment.outputs["url"] == "https://pypiserver.example.com"  # the local cloud has one zone
    assert deployment.secret_outputs == {"password", "read_password"}
    assert deployment.outputs["tasks"] == graph.one("aws:ecs/service:Service").inputs["desiredCount"]

    subnets = ids(graph, "aws:ec2/subnet:Subnet")
    assert len(subnets) == 4, "the index makes no network of its own"
    balancer = graph.one("aws:lb/loadBalancer:LoadBalancer")
    assert set(balancer.inputs["subnets"]) == {subnets["public-us-west-2a"], subnets["public-us-west-2b"]}
    targets = {target.inputs["subnetId"] for target in graph.of_type("aws:efs/mountTarget:MountTarget")}
    assert targets == {subnets["private-us-west-2a"], subnets["private-us-west-2b"]}
    assert set(graph.one("aws:autoscaling/group:Group").inputs["vpcZoneIdentifiers"]) == targets

    assert {record.inputs["zoneId"] for record in graph.of_type("aws:route53/record:Record")} == {ZONE_ID}
    keys = {key.name: key.outputs["arn"] for key in graph.of_type("aws:kms/key:Key")}
    secrets = graph.of_type("aws:secretsmanager/secret:Secret")
    assert {secret.inputs["kmsKeyId"] for secret in secrets} == {keys["credentials"]}


def test_what_is_the_indexs_bears_the_name_of_its_component(deployment: Deployment) -> None:
    component = deployment.graph.one("pypiserver:index:PypiServer")
    assert component.name == "wheels"
    balancer = deployment.graph.one("aws:lb/loadBalancer:LoadBalancer")
    assert balancer.outputs["name"].startswith("wheels-")
    assert (balancer.inputs["tags"]["service"], balancer.inputs["tags"]["stack"]) == ("wheels", "wheels/dev")
