"""What others have made and a program looks up or is given: a zone, a VPC with its subnets, a certificate.

It exists in the stand-in too, and no sweep may lose it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from unittest import mock

from moto.acm.models import acm_backends
from moto.ec2.models import ec2_backends, subnets, vpcs
from moto.route53.models import route53_backends

from bench.deployment.local_cloud import ACCOUNT_ID, REGION


def make(token: str, answer: Mapping[str, Any]) -> None:
    """Have the stand-in hold what the local cloud has answered, with the same id."""
    maker = {
        "aws:route53/getZone:getZone": _zone,
        "aws:ec2/getVpc:getVpc": _vpc,
        "aws:ec2/getSubnet:getSubnet": _subnet,
    }.get(token)
    if maker:
        maker(answer)


def _zone(zone: Mapping[str, Any]) -> None:
    backend = route53_backends[ACCOUNT_ID]["global"]
    if zone["id"] not in backend.zones:
        made = backend.create_hosted_zone(zone["name"] + ".", private_zone=False)
        del backend.zones[made.resource_id]
        made.resource_id = zone["id"]
        backend.zones[zone["id"]] = made


def _vpc(vpc: Mapping[str, Any]) -> None:
    backend = ec2_backends[ACCOUNT_ID][REGION]
    if vpc["id"] not in backend.vpcs:
        with mock.patch.object(vpcs, "random_vpc_id", return_value=vpc["id"]):
            backend.create_vpc(vpc["cidrBlock"])


def _subnet(subnet: Mapping[str, Any]) -> None:
    backend = ec2_backends[ACCOUNT_ID][REGION]
    _vpc({"id": subnet["vpcId"], "cidrBlock": "10.20.0.0/16"})
    if not backend.describe_subnets(filters={"subnet-id": [subnet["id"]]}):
        with mock.patch.object(subnets, "random_subnet_id", return_value=subnet["id"]):
            backend.create_subnet(subnet["vpcId"], subnet["cidrBlock"], availability_zone=subnet["availabilityZone"])


def certificate(arn: str) -> None:
    """Have the stand-in hold a certificate that the settings name."""
    backend = acm_backends[ACCOUNT_ID][REGION]
    if arn not in backend._certificates:
        made = backend.request_certificate("example.com", arn, [], [])
        certificate = backend._certificates.pop(made)
        certificate.arn = arn
        backend._certificates[arn] = certificate
