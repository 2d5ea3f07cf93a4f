"""Answers to provider functions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud.computed.origin import Computed, Inputs


@dataclass(frozen=True)
class Place:
    """Region and account of a question."""

    region: str
    account: str


def _caller_identity(place: Place, args: Inputs) -> Computed:
    account = place.account
    return {"id": account, "accountId": account, "userId": account, "arn": f"arn:aws:iam::{account}:root"}


def _region(place: Place, args: Inputs) -> Computed:
    return {"id": place.region, "name": place.region, "region": place.region}


def _partition(place: Place, args: Inputs) -> Computed:
    return {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


def _availability_zones(place: Place, args: Inputs) -> Computed:
    return {"id": place.region, "region": place.region, "names": [f"{place.region}{zone}" for zone in "abc"]}


def _subnet(place: Place, args: Inputs) -> Computed:
    """Whichever is asked about exists; the last digit of its id says which of three zones it is in."""
    id_ = args["id"]
    number = int(id_[-2:], 16)
    return {
        "id": id_,
        "vpcId": "vpc-0123456789abcdef0",
        "availabilityZone": f"{place.region}{'abc'[number % 16 % 3]}",
        "cidrBlock": f"10.20.{number}.0/24",
        "ipv6CidrBlock": f"2600:1f14:14:a{number:02x}::/64",
    }


def _vpc(place: Place, args: Inputs) -> Computed:
    return {
        "id": args["id"],
        "cidrBlock": "10.20.0.0/16",
        "ipv6CidrBlockAssociations": [
            {
                "associationId": "vpc-cidr-assoc-0123456789abcdef0",
                "ipSource": "amazon",
                "ipv6AddressAttribute": "public",
                "ipv6CidrBlock": "2600:1f14:14:a00::/56",
                "ipv6Pool": "Amazon",
                "networkBorderGroup": "us-west-2",
                "state": "associated",
            }
        ],
        "enableDnsHostnames": True,
        "enableDnsSupport": True,
    }


def _instance_type(place: Place, args: Inputs) -> Computed:
    # The program asks only for what the catalogue lacks, and there is nobody here to know more.
    raise CloudError(f"AWS cannot be asked about {args['instanceType']} from here")


def _managed_prefix_list(place: Place, args: Inputs) -> Computed:
    name = args["name"]
    if not name.startswith("com.amazonaws."):
        raise CloudError(f"there is no managed prefix list {name}")
    id_ = f"pl-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    arn = f"arn:aws:ec2:{place.region}:aws:prefix-list/{id_}"
    return {"id": id_, "name": name, "arn": arn, "addressFamily": "IPv4", "maxEntries": 0, "ownerId": "AWS"}


def _zone(place: Place, args: Inputs) -> Computed:
    """Whichever is asked about exists; one whose id begins with ZPRIVATE is private."""
    zone = args["zoneId"]
    return {
        "id": zone,
        "zoneId": zone,
        "name": "example.com",
        "arn": f"arn:aws:route53:::hostedzone/{zone}",
        "privateZone": zone.startswith("ZPRIVATE"),
    }


def _parameter(place: Place, args: Inputs) -> Computed:
    return {"id": args["name"], "name": args["name"], "value": "ami-0123456789abcdef0"}


FUNCTIONS: Mapping[str, Callable[[Place, Inputs], Computed]] = {
    "aws:ec2/getInstanceType:getInstanceType": _instance_type,
    "aws:ec2/getManagedPrefixList:getManagedPrefixList": _managed_prefix_list,
    "aws:ec2/getSubnet:getSubnet": _subnet,
    "aws:ec2/getVpc:getVpc": _vpc,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _availability_zones,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getRegion:getRegion": _region,
    "aws:route53/getZone:getZone": _zone,
    "aws:ssm/getParameter:getParameter": _parameter,
}


def answer(token: str, region: str, account: str, args: Inputs) -> Computed:
    """What a provider function answers.

    Raises:
        CloudError: nobody has written an answer for this function, or AWS would refuse its arguments.
    """
    function = FUNCTIONS.get(token)
    if function is None:
        raise CloudError(
            f"the local cloud has no answer for the function {token}: "
            "add one to bench/deployment/local_cloud/computed/functions.py"
        )
    return function(Place(region, account), args)
