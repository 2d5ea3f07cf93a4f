"""The mirrored cloud: what the engine makes boto3 finds, and what either deletes is gone in both."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.deployment.engine.automation import AutomationEngine
from bench.deployment.engine.cloud import CloudError
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.engine.workspace import Workspace
from bench.deployment.local_cloud.computed import RESOURCES
from bench.deployment.stack_config import load_stack
from tests.aws_stand_in.clients import client
from tests.aws_stand_in.endpoint import aws_endpoint
from tests.aws_stand_in.mirrored_cloud import IN_STATE_ONLY, MIRRORS, MirroredCloud
from tests.evaluation_cache import ROOT
from tests.pypiserver_stack.support.every_option import EVALUATIONS

STACKS = ("peer", "HTTPS and a zone", "CloudFront", "a given network")


@pytest.fixture
def cloud() -> Iterator[MirroredCloud]:
    with aws_endpoint():
        yield MirroredCloud()


def up(cloud: MirroredCloud, name: str) -> EmbeddedEngine:
    stack, overrides = EVALUATIONS[name]
    engine = EmbeddedEngine(cloud, ROOT)
    engine.up(load_stack(ROOT, stack, overrides)[0])
    return engine


def test_every_type_is_mirrored_or_in_state_only() -> None:
    assert MIRRORS.keys() | IN_STATE_ONLY.keys() == RESOURCES.keys()
    assert not MIRRORS.keys() & IN_STATE_ONLY.keys()


@pytest.mark.parametrize("name", STACKS)
def test_what_the_engine_makes_and_deletes_is_made_and_deleted_on_aws(cloud: MirroredCloud, name: str) -> None:
    engine = up(cloud, name)
    made = cloud.leftovers
    assert len(made) > 50
    assert cloud.missing_on_aws() == ()
    assert client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert engine.down() == ()
    assert client("elbv2").describe_load_balancers()["LoadBalancers"] == []


@pytest.mark.engine
def test_the_cli_makes_and_deletes_it_too(cloud: MirroredCloud, tmp_path: Path, pulumi_cli: Path) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PATH", f"{pulumi_cli}{os.pathsep}{os.environ['PATH']}")
        engine = AutomationEngine(cloud, ROOT, Workspace.within(tmp_path))
        config = load_stack(ROOT, *EVALUATIONS["stress"])[0]
        engine.up(config)
        assert cloud.missing_on_aws() == ()
        assert [kind for kind, count in engine.preview(config).items() if count] == ["same"]
        assert engine.down() == ()


def test_what_boto3_deletes_is_gone_here(cloud: MirroredCloud) -> None:
    up(cloud, "stress")
    before = set(cloud.leftovers)
    (balancer,) = client("elbv2").describe_load_balancers()["LoadBalancers"]
    client("elbv2").delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    missing = set(cloud.missing_on_aws())
    assert {urn.split("::")[2].rsplit("$", 1)[-1] for urn in missing} == {
        "aws:lb/loadBalancer:LoadBalancer",
        "aws:lb/listener:Listener",
    }
    assert before - set(cloud.leftovers) == missing
    assert cloud.missing_on_aws() == ()


def test_what_aws_refuses_is_refused_by_the_cloud(cloud: MirroredCloud) -> None:
    vpc = cloud.create("urn::vpc", "aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"})
    cloud.create("urn::subnet", "aws:ec2/subnet:Subnet", {"vpcId": vpc.id, "cidrBlock": "10.0.0.0/24"})
    with pytest.raises(CloudError, match="DependencyViolation"):
        cloud.delete("urn::vpc")
    with pytest.raises(CloudError, match=r"InvalidSubnet\.Range"):
        cloud.create("urn::other", "aws:ec2/subnet:Subnet", {"vpcId": vpc.id, "cidrBlock": "192.168.0.0/24"})
    assert cloud.leftovers == ("urn::subnet", "urn::vpc")


def test_an_update_reaches_aws(cloud: MirroredCloud) -> None:
    up(cloud, "stress")
    (urn,) = [urn for urn in cloud.records if "aws:ecs/service:Service" in urn]
    service = cloud.records[urn]
    changed = cloud.update(urn, {**service.inputs, "desiredCount": 3})
    assert (changed.id, changed.outputs["arn"]) == (service.id, service.outputs["arn"])
    (found,) = client("ecs").describe_services(cluster=service.inputs["cluster"], services=[service.id])["services"]
    assert found["desiredCount"] == 3
