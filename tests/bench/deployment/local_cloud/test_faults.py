"""Faults that the local cloud injects on request."""

from __future__ import annotations

import pytest

from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud import InjectedFault, LocalCloud

VPC = "aws:ec2/vpc:Vpc"


def test_each_fault_counts_every_request_whatever_the_others_did_to_it() -> None:
    cloud = LocalCloud([InjectedFault("create", nth=nth, type=VPC, error=f"refusal {nth}") for nth in (1, 2, 4)])
    outcomes = []
    for number in range(5):
        try:
            cloud.create(f"urn:pulumi:dev::small::{VPC}::net-{number}", VPC, {"cidrBlock": "10.0.0.0/16"})
            outcomes.append("made")
        except CloudError as error:
            outcomes.append(str(error))
    assert outcomes == ["refusal 1", "refusal 2", "made", "refusal 4", "made"]


def test_a_fault_concerns_its_type_and_operation_alone() -> None:
    cloud = LocalCloud([InjectedFault("delete", type=VPC, error="it is in use")])
    cloud.create("urn:pulumi:dev::small::aws:ec2/eip:Eip::a", "aws:ec2/eip:Eip", {})
    cloud.create(f"urn:pulumi:dev::small::{VPC}::a", VPC, {"cidrBlock": "10.0.0.0/16"})
    cloud.delete("urn:pulumi:dev::small::aws:ec2/eip:Eip::a")
    with pytest.raises(CloudError, match="it is in use"):
        cloud.delete(f"urn:pulumi:dev::small::{VPC}::a")
    cloud.delete(f"urn:pulumi:dev::small::{VPC}::a")
    assert cloud.leftovers == ()
