"""Answers to provider functions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud.computed.origin import ACCOUNT_ID, REGION, Computed, Inputs


def _subnet(args: Inputs) -> Computed:
    """Whichever is asked about exists; the last digit of its id says which of three zones it is in."""
    number = int(args["id"][-2:], 16)
    return {
        "id": args["id"],
        "vpcId": "vpc-0123456789abcdef0",
        "availabilityZone": f"{REGION}{'abc'[number % 16 % 3]}",
        "cidrBlock": f"10.20.{number}.0/24",
        "ipv6CidrBlock": f"2600:1f14:14:a{number:02x}::/64",
    }


def _vpc(args: Inputs) -> Computed:
    addresses = {
        "associationId": "vpc-cidr-assoc-0123456789abcdef0",
        "ipSource": "amazon",
        "ipv6AddressAttribute": "public",
        "ipv6CidrBlock": "2600:1f14:14:a00::/56",
        "ipv6Pool": "Amazon",
        "networkBorderGroup": "us-west-2",
        "state": "associated",
    }
    return {
        "id": args["id"],
        "cidrBlock": "10.20.0.0/16",
        "ipv6CidrBlockAssociations": [addresses],
        "enableDnsHostnames": True,
        "enableDnsSupport": True,
    }


def _instance_type(args: Inputs) -> Computed:
    # The program asks only for what the catalogue lacks, and there is nobody here to know more.
    raise CloudError(f"AWS cannot be asked about {args['instanceType']} from here")


def _managed_prefix_list(args: Inputs) -> Computed:
    name = args["name"]
    if not name.startswith("com.amazonaws."):
        raise CloudError(f"there is no managed prefix list {name}")
    id_ = f"pl-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    arn = f"arn:aws:ec2:{REGION}:aws:prefix-list/{id_}"
    return {"id": id_, "name": name, "arn": arn, "addressFamily": "IPv4", "maxEntries": 0, "ownerId": "AWS"}


def _zone(args: Inputs) -> Computed:
    """Whichever is asked about exists; one whose id begins with ZPRIVATE is private."""
    zone = args["zoneId"]
    arn = f"arn:aws:route53:::hostedzone/{zone}"
    return {"id": zone, "zoneId": zone, "name": "example.com", "arn": arn, "privateZone": zone.startswith("ZPRIVATE")}


def _parameter(args: Inputs) -> Computed:
    return {"id": args["name"], "name": args["name"], "value": "ami-0123456789abcdef0"}


def _always(**answer: object) -> Callable[[Inputs], Computed]:
    return lambda args: answer


FUNCTIONS: Mapping[str, Callable[[Inputs], Computed]] = {
    "aws:ec2/getInstanceType:getInstanceType": _instance_type,
    "aws:ec2/getManagedPrefixList:getManagedPrefixList": _managed_prefix_list,
    "aws:ec2/getSubnet:getSubnet": _subnet,
    "aws:ec2/getVpc:getVpc": _vpc,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _always(
        id=REGION, region=REGION, names=[f"{REGION}{zone}" for zone in "abc"]
    ),
    "aws:index/getCallerIdentity:getCallerIdentity": _always(
        id=ACCOUNT_ID, accountId=ACCOUNT_ID, userId=ACCOUNT_ID, arn=f"arn:aws:iam::{ACCOUNT_ID}:root"
    ),
    "aws:index/getPartition:getPartition": _always(
        id="aws", partition="aws", dnsSuffix="amazonaws.com", reverseDnsPrefix="com.amazonaws"
    ),
    "aws:index/getRegion:getRegion": _always(id=REGION, name=REGION, region=REGION),
    "aws:route53/getZone:getZone": _zone,
    "aws:ssm/getParameter:getParameter": _parameter,
}


def answer(token: str, args: Inputs) -> Computed:
    """Answer of a provider function.

    Raises:
        CloudError: nobody has written an answer for this function, or AWS would refuse its arguments.
    """
    function = FUNCTIONS.get(token)
    if function is None:
        raise CloudError(
            f"the local cloud has no answer for the function {token}: "
            "add one to bench/deployment/local_cloud/computed/functions.py"
        )
    return function(args)
