"""What both engines promise: `bench.deployment.engine.Engine`."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop

from bench.common.failures import UnavailableError, UsageError
from bench.deployment.engine import Engine, StackConfig
from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud import InjectedFault, LocalCloud, Record
from bench.runtime.interruption import Interrupted, Interruptions
from tests.dead_proxy import DEAD_PROXY

EngineFactory = Callable[[LocalCloud, Path], Engine]

VPC = "urn:pulumi:dev::small::small:index:Network$aws:ec2/vpc:Vpc::net"
SUBNET = "urn:pulumi:dev::small::small:index:Network$small:index:Subnets$aws:ec2/subnet:Subnet::net-subnets"
CREATES = 7


def test_a_deployment_holds_exports_and_resolved_resources(
    make_engine: EngineFactory, project: Path, config: StackConfig
) -> None:
    cloud = LocalCloud()
    engine = make_engine(cloud, project)
    deployment = engine.up(config)

    password = cloud.records["urn:pulumi:dev::small::random:index/randomPassword:RandomPassword::password"].outputs
    assert deployment.outputs == {
        "region": "us-west-2",
        "password": password["result"],
        "nested": {"ports": [8080, 2.5], "with_secret": [{"password": password["result"]}]},
        "colour": "red",
    }
    assert deployment.secret_outputs == {"password", "nested"}

    subnet = deployment.graph.one("aws:ec2/subnet:Subnet")
    assert (subnet.urn, subnet.name) == (SUBNET, "net-subnets")
    assert subnet.parent == "urn:pulumi:dev::small::small:index:Network$small:index:Subnets::net-subnets"
    assert subnet.inputs["vpcId"] == deployment.graph.one("aws:ec2/vpc:Vpc").id == cloud.records[VPC].id
    assert subnet.inputs["availabilityZone"] == "us-west-2a"
    assert subnet.dependencies == (VPC,)
    # depends_on a component: on all that hangs from it, however deep.
    assert set(deployment.graph.one("aws:secretsmanager/secret:Secret").dependencies) == {VPC, SUBNET}

    version = deployment.graph.one("aws:secretsmanager/secretVersion:SecretVersion")
    assert version.secret_paths == {"secretString"}
    assert password["result"] in version.inputs["secretString"]
    task = deployment.graph.one("aws:ecs/taskDefinition:TaskDefinition")
    assert task.secret_paths == {"volumes[0].hostPath"}
    assert task.inputs["volumes"] == [{"name": "v", "hostPath": "/24"}]
    group = deployment.graph.one("aws:lb/targetGroup:TargetGroup")
    assert group.inputs["port"] == 8080
    assert isinstance(group.inputs["port"], int)
    assert group.inputs["healthCheck"] == {"path": "/health", "interval": 10}

    network = deployment.graph.one("small:index:Network")
    assert (network.parent, network.id, network.outputs) == ("", "", {"vpc_id": subnet.inputs["vpcId"]})
    assert len(deployment.graph) == CREATES + 2
    assert len(cloud.records) == CREATES

    assert engine.down() == ()
    assert not cloud.records
    assert engine.down() == ()


@pytest.mark.parametrize("nth", range(1, CREATES + 1))
def test_a_resource_that_is_refused_is_named_and_nothing_stays(
    make_engine: EngineFactory, project: Path, config: StackConfig, nth: int, capfd: pytest.CaptureFixture[str]
) -> None:
    cloud = LocalCloud([InjectedFault("create", nth=nth, error="the limit of resources is reached")])
    engine = make_engine(cloud, project)
    with pytest.raises(
        UnavailableError, match=r"^(aws|random):\S+ \S+ could not be created: the limit of resources is reached$"
    ):
        engine.up(config)
    assert engine.down() == ()
    assert not cloud.records
    output = capfd.readouterr()
    assert (output.out, output.err) == ("", "")


def test_a_resource_type_that_the_cloud_lacks_is_named(
    make_engine: EngineFactory, project: Path, config: StackConfig
) -> None:
    (project / "__main__.py").write_text("import pulumi_aws\npulumi_aws.sqs.Queue('jobs')\n")
    engine = make_engine(LocalCloud(), project)
    with pytest.raises(UnavailableError, match=r"aws:sqs/queue:Queue jobs could not be created: "):
        engine.up(config)
    assert engine.down() == ()


@pytest.mark.parametrize("call", ["get_ip_ranges(services=[])", "get_ip_ranges_output(services=[]).url.apply(print)"])
def test_a_function_that_nobody_answers_is_named(
    make_engine: EngineFactory, project: Path, config: StackConfig, call: str
) -> None:
    (project / "__main__.py").write_text(f"import pulumi_aws\npulumi_aws.{call}\n")
    engine = make_engine(LocalCloud(), project)
    with pytest.raises(UnavailableError, match=r"the function aws:index/getIpRanges:getIpRanges failed: "):
        engine.up(config)
    assert engine.down() == ()


def test_settings_that_the_program_refuses_are_the_users_mistake(
    make_engine: EngineFactory, project: Path, config: StackConfig, capfd: pytest.CaptureFixture[str]
) -> None:
    (project / "__main__.py").write_text(
        "import pulumi_aws\n"
        "from pypiserver_stack.settings import read_settings\n"
        "pulumi_aws.ec2.Vpc('net', cidr_block='10.0.0.0/16')\n"
        "read_settings({'profile': 'huge'})\n"
    )
    cloud = LocalCloud()
    engine = make_engine(cloud, project)
    with pytest.raises(UsageError, match=r"^profile = 'huge': one of light, "):
        engine.up(config)
    assert engine.down() == ()
    assert not cloud.records
    output = capfd.readouterr()
    assert (output.out, output.err) == ("", "")


def test_a_resource_that_is_made_twice_is_named(make_engine: EngineFactory, project: Path, config: StackConfig) -> None:
    (project / "__main__.py").write_text("import pulumi_aws\n" + "pulumi_aws.ec2.Vpc('net')\n" * 2)
    engine = make_engine(LocalCloud(), project)
    with pytest.raises(UnavailableError, match=r"urn:pulumi:dev::small::aws:ec2/vpc:Vpc::net"):
        engine.up(config)
    assert engine.down() == ()


@pytest.mark.parametrize(
    "program", ["{}['key']", "import pulumi\npulumi.Output.from_input({}).apply(lambda x: x['key'])"]
)
def test_a_mistake_in_the_program_is_not_disguised(
    make_engine: EngineFactory, project: Path, config: StackConfig, program: str
) -> None:
    (project / "__main__.py").write_text(program)
    engine = make_engine(LocalCloud(), project)
    with pytest.raises(KeyError, match="key"):
        engine.up(config)
    assert engine.down() == ()


class BrokenCloud(LocalCloud):
    def create(self, urn: str, type_: str, inputs: Mapping[str, Any]) -> Record:
        raise ZeroDivisionError


def test_a_mistake_in_the_cloud_is_not_disguised(
    make_engine: EngineFactory, project: Path, config: StackConfig
) -> None:
    engine = make_engine(BrokenCloud(), project)
    with pytest.raises(ZeroDivisionError):
        engine.up(config)
    assert engine.down() == ()


def test_what_the_cloud_does_not_delete_is_reported(
    make_engine: EngineFactory, project: Path, config: StackConfig
) -> None:
    refusals = [InjectedFault("delete", nth=nth, type="aws:ec2/vpc:Vpc", error="it is in use") for nth in range(1, 11)]
    cloud = LocalCloud(refusals)
    engine = make_engine(cloud, project)
    engine.up(config)
    assert engine.down() == (VPC,)
    assert set(cloud.records) == {VPC}


def test_down_before_up(make_engine: EngineFactory, project: Path) -> None:
    assert make_engine(LocalCloud(), project).down() == ()


def test_inherited_settings_of_pulumi_are_ignored(
    make_engine: EngineFactory, project: Path, config: StackConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PULUMI_STACK": "production",
        "PULUMI_BACKEND_URL": "https://state.invalid",
        "PULUMI_ACCESS_TOKEN": "pul-0",
        "PULUMI_CONFIG_PASSPHRASE": "of the user",
        "PULUMI_CONFIG": '{"small:port": "1", "small:colour": "blue"}',
        "PULUMI_HOME": "/nonexistent",
        "PULUMI_DEBUG_PROVIDERS": "aws:1",
    }.items():
        monkeypatch.setenv(name, value)
    engine = make_engine(LocalCloud(), project)
    deployment = engine.up(config)
    assert deployment.outputs["colour"] == "red"
    assert deployment.graph.one("aws:lb/targetGroup:TargetGroup").inputs["port"] == 8080
    assert engine.down() == ()


def test_a_proxy_is_for_others(
    make_engine: EngineFactory, project: Path, config: StackConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in DEAD_PROXY.items():
        monkeypatch.setenv(name, value)
    engine = make_engine(LocalCloud(), project)
    assert len(engine.up(config).graph) == CREATES + 2
    assert engine.down() == ()


def test_it_runs_inside_a_uvloop(make_engine: EngineFactory, project: Path, config: StackConfig) -> None:
    engine = make_engine(LocalCloud(), project)

    async def main() -> None:
        assert len(engine.up(config).graph) == CREATES + 2
        assert engine.down() == ()

    uvloop.run(main())


class WatchedCloud(LocalCloud):
    """Tells when it is asked to create a resource of a type."""

    def __init__(self, type_: str, delay_s: float) -> None:
        super().__init__([InjectedFault("create", type=type_, delay_s=delay_s)])
        self._type = type_
        self.asked = threading.Event()

    def create(self, urn: str, type_: str, inputs: Mapping[str, Any]) -> Record:
        if type_ == self._type:
            self.asked.set()
        return super().create(urn, type_, inputs)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_in_mid_up_leaves_nothing(
    make_engine: EngineFactory, project: Path, config: StackConfig, number: signal.Signals
) -> None:
    cloud = WatchedCloud("aws:ec2/subnet:Subnet", delay_s=0.7)
    engine = make_engine(cloud, project)

    def interrupt() -> None:
        cloud.asked.wait(60)
        os.kill(os.getpid(), number)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    with Interruptions() as interruptions:
        interruptions.arm()
        with pytest.raises(Interrupted):
            engine.up(config)
        interruptions.shield()
        assert SUBNET not in cloud.records
        assert engine.down() == ()
    interrupter.join()
    assert not cloud.records
    with pytest.raises(CloudError):
        cloud.update(SUBNET, {})
