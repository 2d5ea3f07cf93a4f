"""A small Pulumi project with one of everything that the engines must treat alike, and both engines to run it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.deployment.engine import Engine, StackConfig
from bench.deployment.engine.automation import AutomationEngine
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.engine.workspace import Workspace
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.stack_config import load_stack

PROGRAM = """
import pulumi
import pulumi_aws as aws
import pulumi_random as random


class Network(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("small:index:Network", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = {"Name": name, "a.dotted/key": "1"}
        self.vpc = aws.ec2.Vpc(name, cidr_block="10.0.0.0/16", enable_dns_support=True, tags=tags, opts=child)
        self.subnets = Subnets(f"{name}-subnets", self.vpc, child)
        self.register_outputs({"vpc_id": self.vpc.id})


class Subnets(pulumi.ComponentResource):
    def __init__(self, name, vpc, opts):
        super().__init__("small:index:Subnets", name, None, opts)
        zones = aws.get_availability_zones_output(state="available", opts=pulumi.InvokeOutputOptions(parent=self))
        self.subnet = aws.ec2.Subnet(
            name,
            vpc_id=vpc.id,
            cidr_block="10.0.1.0/24",
            availability_zone=zones.names[0],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


config = pulumi.Config()
region = aws.get_region().region
network = Network("net")
password = random.RandomPassword("password", length=24, special=False)
secret = aws.secretsmanager.Secret("secret", opts=pulumi.ResourceOptions(depends_on=[network]))
version = aws.secretsmanager.SecretVersion(
    "secret",
    secret_id=secret.id,
    secret_string=pulumi.Output.json_dumps({"password": password.result, "subnet": network.subnets.subnet.arn}),
)
task = aws.ecs.TaskDefinition(
    "task",
    family="small",
    container_definitions=pulumi.Output.json_dumps([{"name": "small", "secret": version.version_id}]),
    volumes=[aws.ecs.TaskDefinitionVolumeArgs(name="v", host_path=password.result.apply(lambda text: f"/{len(text)}"))],
)
group = aws.lb.TargetGroup(
    "group",
    port=float(config.require_int("port")),
    deregistration_delay=30,
    health_check=aws.lb.TargetGroupHealthCheckArgs(path="/health", interval=10, matcher=None),
    vpc_id=network.vpc.id,
)
pulumi.export("region", region)
pulumi.export("password", password.result)
pulumi.export("nested", {"ports": [group.port, 2.5], "with_secret": [{"password": password.result}]})
pulumi.export("colour", config.get("colour"))
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's folder. Seven resources of a provider, two components."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "__main__.py").write_text(PROGRAM)
    (folder / "Pulumi.yaml").write_text(
        "name: small\nruntime: python\nconfig: {colour: {type: string, default: red}}\n"
    )
    (folder / "Pulumi.dev.yaml").write_text("config:\n  small:port: 8080\n")
    return folder


@pytest.fixture
def config(project: Path) -> StackConfig:
    """The project's only stack."""
    return load_stack(project, "dev")[0]


@pytest.fixture
def pulumi_on_path(pulumi_cli: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the Pulumi engine needs."""
    monkeypatch.setenv("PATH", f"{pulumi_cli}{os.pathsep}{os.environ['PATH']}")


EngineFactory = Callable[[LocalCloud, Path], Engine]


@pytest.fixture(params=["embedded", pytest.param("pulumi", marks=pytest.mark.engine)])
def make_engine(request: pytest.FixtureRequest, tmp_path: Path) -> EngineFactory:
    """Either engine, from a cloud and a project's folder."""
    if request.param == "embedded":
        return EmbeddedEngine
    request.getfixturevalue("pulumi_on_path")
    return lambda cloud, project: AutomationEngine(cloud, project, Workspace.within(tmp_path / "work"))
