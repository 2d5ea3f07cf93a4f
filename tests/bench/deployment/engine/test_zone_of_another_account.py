"""A stack whose zone is in another account: the provider that reaches it, through the real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.stack_config import load_stack
from tests.bench.command_line import ROOT
from tests.bench.deployment.engine.whole_stack import fast_engine

ENTROPY = b"the same for both"
SETTINGS = (
    "zone_id=Z0123456789ABCDEFGHIJ",
    "dns_names=pypi,wheels",
    "dns_role_arn=arn:aws:iam::210987654321:role/dns",
    "waf_enabled=true",
)


@pytest.mark.engine
@pytest.mark.usefixtures("pulumi_on_path")
def test_the_real_engine_makes_the_same_of_it(tmp_path: Path) -> None:
    config, _ = load_stack(ROOT, "stress", SETTINGS)
    cloud = LocalCloud(entropy=ENTROPY)
    engine = fast_engine(cloud, tmp_path / "work")
    deployment = engine.up(config)
    assert deployment == EmbeddedEngine(LocalCloud(entropy=ENTROPY), ROOT).up(config)
    resources = len(deployment.graph) + 2  # the stack, and the provider, which no graph holds
    assert engine.changes == {"create": resources}
    assert engine.preview(config) == {"same": resources}
    assert engine.down() == ()
    assert not cloud.records


def provider_inputs(*configured: str, work_dir: Path) -> dict[str, Any]:
    """What the zone's provider is told, in the state of the real engine."""
    engine = fast_engine(LocalCloud(entropy=ENTROPY), work_dir)
    engine.up(load_stack(ROOT, "stress", (*SETTINGS, *configured))[0])
    exported = engine.drive(lambda stack: stack.export_stack()).deployment
    assert engine.down() == ()
    assert exported is not None
    (inputs,) = (one["inputs"] for one in exported["resources"] if one["urn"].endswith("::pypiserver-dns"))
    return dict(inputs)


@pytest.mark.engine
@pytest.mark.usefixtures("pulumi_on_path")
def test_it_is_reached_as_who_deploys(tmp_path: Path) -> None:
    """What is configured as `aws:...` is for the default provider; another one starts from nothing."""
    dns_role = {"roleArn": "arn:aws:iam::210987654321:role/dns", "sessionName": "pypiserver"}
    deployer = {"roleArn": "arn:aws:iam::123456789012:role/deployer", "externalId": "x"}
    inputs = provider_inputs(
        "aws:profile=wheels",
        f"aws:assumeRoles={json.dumps([deployer])}",
        'aws:sharedConfigFiles=["/etc/aws"]',
        'aws:sharedCredentialsFiles=["/etc/aws-credentials"]',
        "aws:accessKey=AKIAIOSFODNN7EXAMPLE",
        "aws:secretKey=of-no-account",
        "aws:token=of-no-session",
        work_dir=tmp_path / "work",
    )
    assert inputs["profile"] == "wheels"
    assert json.loads(inputs["sharedConfigFiles"]) == ["/etc/aws"]
    assert json.loads(inputs["sharedCredentialsFiles"]) == ["/etc/aws-credentials"]
    assert json.loads(inputs["assumeRoles"]) == [deployer, dns_role]
    # What is no text is a secret.
    assert all(isinstance(inputs[key], dict) for key in ("accessKey", "secretKey", "token")), inputs
