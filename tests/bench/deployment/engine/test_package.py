"""PypiServer from a program that knows nothing of it but the schema, on the real engine: the examples in YAML."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime.proto import provider_pb2

from bench.deployment.local_cloud import LocalCloud, computed, provider
from tests.bench.deployment.engine import person
from tests.dead_proxy import DEAD_PROXY

ROOT = Path(__file__).resolve().parents[4]
ZONE_ID = "Z0123456789ABCDEFGHIJ"
PASSWORD = b"known beforehand"

pytestmark = pytest.mark.engine


def _type(inputs: str, outputs: str) -> dict[str, Any]:
    text = {"type": "string"}
    given, made = inputs.split(), outputs.split()
    return {
        "inputProperties": dict.fromkeys(given, text),
        "properties": dict.fromkeys([*given, *made], text),
        "required": made,
    }


# What the programs here make besides: YAML has its types checked against the schema of each package.
AWS = {
    "name": "aws",
    "version": "7.51.0",
    "meta": {"moduleFormat": "(.*)(?:/[^/]*)"},
    "provider": {"inputProperties": {"region": {"type": "string"}}},
    "resources": {
        "aws:ec2/vpc:Vpc": _type("cidrBlock", "arn"),
        "aws:ec2/subnet:Subnet": _type("vpcId cidrBlock availabilityZone", "arn"),
        "aws:kms/key:Key": _type("description enableKeyRotation", "arn keyId"),
        "aws:route53/zone:Zone": _type("name", "zoneId"),
    },
}


class Foreign:
    """A program of somebody else, with the plugin as its folder has it and the local cloud as its AWS."""

    def __init__(self, folder: Path, environment: Mapping[str, str], cloud: LocalCloud) -> None:
        self.folder = folder
        self.cloud = cloud
        self._environment = dict(environment)

    def write(self, program: Mapping[str, Any]) -> None:
        """The language host for YAML that can be built knows `plugins`, and not yet `packages`."""
        known = {key: value for key, value in program.items() if key != "packages"}
        plugin = {"name": "pypiserver", "path": str(self.folder.parent / "plugin")}
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump({**known, "plugins": {"providers": [plugin]}}))

    def pulumi(self, *arguments: str, exit_code: int = 0) -> str:
        return person.pulumi(*arguments, folder=self.folder, environment=self._environment, exit_code=exit_code)

    def records(self, type_: str) -> list[Any]:
        return [record for record in self.cloud.records.values() if record.type == type_]


@pytest.fixture
def foreign(pulumi_cli: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Foreign]:
    assert (pulumi_cli / "pulumi-language-yaml").exists(), f"no YAML host beside {pulumi_cli}: run `make pulumi`"
    zone = {"aws:route53/zone:Zone": lambda identity, inputs: (ZONE_ID, {"zoneId": ZONE_ID})}
    monkeypatch.setattr(computed, "RESOURCES", {**computed.RESOURCES, **zone})
    schema = provider_pb2.GetSchemaResponse(schema=json.dumps(AWS))
    monkeypatch.setattr(provider._Provider, "GetSchema", lambda self, request, context: schema)
    folders = [tmp_path / name for name in ("program", "plugin")]
    for folder in folders:
        folder.mkdir()
    # What the language host for Python does with plugin/: the one that can be built here is too old for plugins.
    starter = folders[1] / "pulumi-resource-pypiserver"
    starter.write_text(
        f'#!/bin/sh\nexec {shlex.join([sys.executable, "-I", str(ROOT / "plugin" / "__main__.py")])} "$@"\n'
    )
    starter.chmod(0o755)
    cloud = LocalCloud(entropy=PASSWORD)
    with cloud.providers() as providers:
        environment = person.environment(tmp_path, f"{pulumi_cli}:{os.environ['PATH']}", state=tmp_path)
        yield Foreign(folders[0], {**environment, **DEAD_PROXY, **providers.environment}, cloud)


def test_the_example_through_its_whole_life(foreign: Foreign) -> None:
    program = yaml.safe_load((ROOT / "examples" / "yaml" / "Pulumi.yaml").read_text())
    index = program["resources"]["wheels"]["properties"]
    foreign.write(program)
    foreign.pulumi("stack", "init", "dev")

    index |= {"instanceMinCount": 0, "efsThroughputMode": "provisioned", "hostUsers": [{"name": "Admin"}]}
    foreign.write(program)
    refused = foreign.pulumi("preview", exit_code=1)
    diagnostics = refused.partition("Diagnostics:")[2]
    assert "instanceMinCount with value '{0}' has a problem: a whole number from 1 to 1000" in diagnostics
    assert "efsThroughputMode with value '{provisioned}' has a problem: needs efsProvisioned" in diagnostics
    assert "hostUsers[0].name with value '{Admin}' has a problem: text that matches" in diagnostics
    assert "Traceback" not in refused
    assert 'File "' not in refused

    index |= {"instanceMinCount": 2, "efsThroughputMode": "elastic", "hostUsers": [{"name": "admin", "sudo": True}]}
    index["deletionProtection"] = False
    foreign.write(program)
    created = foreign.pulumi("up", "--yes", "--skip-preview")
    assert "is not pinned by digest" in created
    outputs = json.loads(foreign.pulumi("stack", "output", "--json", "--show-secrets"))
    made = foreign.records("random:index/randomPassword:RandomPassword")
    passwords = {record.urn.rsplit("::", 1)[1]: record.outputs["result"] for record in made}
    assert passwords.keys() == {"wheels", "wheels-read", "wheels-upload"}
    assert outputs == {
        "url": "https://pypiserver.example.com",  # the local cloud has one zone
        "password": passwords["wheels"],
        "readPassword": passwords["wheels-read"],
        "tasks": 1,
    }
    shown = json.loads(foreign.pulumi("stack", "output", "--json"))
    assert (shown["password"], shown["readPassword"]) == ("[secret]", "[secret]")
    state = json.dumps(json.loads(foreign.pulumi("stack", "export")))
    assert not any(password in text for password in passwords.values() for text in (created, state))
    (key,) = (key for key in foreign.records("aws:kms/key:Key") if "credentials" in key.inputs.get("description", ""))
    secrets = foreign.records("aws:secretsmanager/secret:Secret")
    assert len(secrets) == 3
    for secret in secrets:
        assert secret.inputs["kmsKeyId"] == key.outputs["arn"]
        assert secret.inputs["tags"]["stack"] == "wheels/dev"
        assert secret.outputs["name"].startswith("wheels-")

    assert "unchanged" in foreign.pulumi("up", "--yes", "--skip-preview")
    foreign.pulumi("destroy", "--yes", "--skip-preview")
    assert not foreign.cloud.records


def test_subnets_and_a_provider_that_the_program_makes_itself(foreign: Foreign) -> None:
    def subnet(number: int, zone: str) -> dict[str, Any]:
        where = {"cidrBlock": f"10.0.{number}.0/24", "availabilityZone": f"us-west-2{zone}"}
        return {"type": "aws:ec2:Subnet", "properties": {"vpcId": "${network.id}", **where}}

    index = {
        "allowHttp": True,
        "deletionProtection": False,
        "instanceSubnetIds": ["${private-a.id}", "${private-b.id}"],
        "balancerSubnetIds": ["${public-a.id}", "${public-b.id}"],
    }
    foreign.write(
        {
            "name": "wheels",
            "runtime": "yaml",
            "resources": {
                "network": {"type": "aws:ec2:Vpc", "properties": {"cidrBlock": "10.0.0.0/16"}},
                "private-a": subnet(0, "a"),
                "private-b": subnet(1, "b"),
                "public-a": subnet(2, "a"),
                "public-b": subnet(3, "b"),
                "there": {"type": "pulumi:providers:aws", "properties": {"region": "eu-central-1"}},
                "Package Index": {
                    "type": "pypiserver:index:PypiServer",
                    "properties": index,
                    "options": {"providers": ["${there}"]},
                },
            },
        }
    )
    foreign.pulumi("stack", "init", "dev")
    # The preview knows no subnet.
    foreign.pulumi("up", "--yes")
    ids = {record.urn.rsplit("::", 1)[1]: record.id for record in foreign.records("aws:ec2/subnet:Subnet")}
    assert len(ids) == 4, "the stack makes no network of its own"
    targets = foreign.records("aws:efs/mountTarget:MountTarget")
    assert {target.inputs["subnetId"] for target in targets} == {ids["private-a"], ids["private-b"]}
    (balancer,) = foreign.records("aws:lb/loadBalancer:LoadBalancer")
    assert set(balancer.inputs["subnets"]) == {ids["public-a"], ids["public-b"]}
    assert balancer.outputs["name"].startswith("package-index-")
    assert balancer.inputs["tags"]["service"] == balancer.outputs["name"][:-8]
    state = json.loads(foreign.pulumi("stack", "export"))["deployment"]["resources"]
    ours = [resource for resource in state if "PypiServer$" in resource["urn"] and resource["type"].startswith("aws:")]
    assert {resource["provider"].split("::")[3] for resource in ours} == {"there"}
    foreign.pulumi("destroy", "--yes", "--skip-preview")
    assert not foreign.cloud.records
