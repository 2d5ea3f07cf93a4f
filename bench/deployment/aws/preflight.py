"""Looks at an account before anything is made in it: what would fail half way is found here, all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bench.deployment.aws.session import AwsSession, reason
from bench.deployment.engine import Deployment
from sizing.instances import find

# Numbers of Service Quotas, https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html
_VCPU_QUOTA = ("ec2", "L-1216C47A")  # running on-demand standard instances, in vCPUs
_ADDRESS_QUOTA = ("ec2", "L-0263D0A3")  # elastic IP addresses
_VPC_QUOTA = ("vpc", "L-F678F1CE")  # VPCs of a region
# Families that the quota of vCPUs counts: it is that of the standard ones.
_STANDARD = "acdhimrtz"
_SERVICE_ROLES = {
    "AWSServiceRoleForECS": "ecs.amazonaws.com",
    "AWSServiceRoleForAutoScaling": "autoscaling.amazonaws.com",
    "AWSServiceRoleForElasticLoadBalancing": "elasticloadbalancing.amazonaws.com",
    "AWSServiceRoleForApplicationAutoScaling_ECSService": "ecs.application-autoscaling.amazonaws.com",
}


@dataclass(frozen=True)
class Preflight:
    """Outcome of the looks."""

    problems: tuple[str, ...]
    """Sentences: what would fail, and what to do about it."""
    unknown: tuple[str, ...]
    """Sentences: what could not be looked at, and why."""


def look_before(session: AwsSession, planned: Deployment) -> Preflight:
    """Look at quotas, offered instance types and service-linked roles.

    Args:
        planned: the deployment as the local cloud has it.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    problems: list[str] = []
    unknown: list[str] = []
    for look in LOOKS:
        try:
            problems += look(session, planned)
        except (BotoCoreError, ClientError) as error:
            unknown.append(f"{(look.__doc__ or '').rstrip('.')}: could not be looked at ({reason(error)})")
    return Preflight(tuple(problems), tuple(unknown))


def _vcpus(session: AwsSession, planned: Deployment) -> Iterator[str]:
    """Quota of vCPUs."""
    capacity = planned.outputs["capacity"]
    instance = find(capacity["instance_type"])
    if instance.name[0] not in _STANDARD:
        return
    needed = capacity["instance_max_count"] * instance.vcpu_count
    ec2 = session.client("ec2")
    running = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    used = sum(
        each.get("CpuOptions", {}).get("CoreCount", 1) * each.get("CpuOptions", {}).get("ThreadsPerCore", 1)
        for page in ec2.get_paginator("describe_instances").paginate(Filters=running)
        for reservation in page["Reservations"]
        for each in reservation["Instances"]
        if each["InstanceType"][0] in _STANDARD and "InstanceLifecycle" not in each
    )
    yield from _exceeded(session, _VCPU_QUOTA, used, needed, "vCPUs of on-demand instances")


def _addresses(session: AwsSession, planned: Deployment) -> Iterator[str]:
    """Quota of elastic IP addresses."""
    needed = len(planned.graph.of_type("aws:ec2/eip:Eip"))
    used = len(session.client("ec2").describe_addresses()["Addresses"])
    yield from _exceeded(session, _ADDRESS_QUOTA, used, needed, "elastic IP addresses")


def _vpcs(session: AwsSession, planned: Deployment) -> Iterator[str]:
    """Quota of VPCs."""
    needed = len(planned.graph.of_type("aws:ec2/vpc:Vpc"))
    pages = session.client("ec2").get_paginator("describe_vpcs").paginate()
    used = sum(len(page["Vpcs"]) for page in pages)
    yield from _exceeded(session, _VPC_QUOTA, used, needed, "VPCs")


def _offerings(session: AwsSession, planned: Deployment) -> Iterator[str]:
    """Instance types that the zones offer."""
    type_ = planned.outputs["capacity"]["instance_type"]
    zones = len({subnet.inputs["availabilityZone"] for subnet in planned.graph.of_type("aws:ec2/subnet:Subnet")})
    if not zones:
        return  # given subnets: the zones are the user's choice
    ec2 = session.client("ec2")
    usual = [{"Name": "opt-in-status", "Values": ["opt-in-not-required"]}, {"Name": "state", "Values": ["available"]}]
    used = [zone["ZoneName"] for zone in ec2.describe_availability_zones(Filters=usual)["AvailabilityZones"]][:zones]
    offered = {
        offering["Location"]
        for page in ec2.get_paginator("describe_instance_type_offerings").paginate(
            LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": [type_]}]
        )
        for offering in page["InstanceTypeOfferings"]
    }
    if missing := [zone for zone in used if zone not in offered]:
        there = ", ".join(sorted(offered)) or "no zone of the region"
        yield (
            f"{type_} is not offered in {', '.join(missing)}, where the stack would have instances, but in {there}: "
            "choose another instance_type, or subnets in those zones by instance_subnet_ids"
        )


def _service_roles(session: AwsSession, planned: Deployment) -> Iterator[str]:
    """Service-linked roles of the account."""
    iam = session.client("iam")
    missing = []
    for role, service in _SERVICE_ROLES.items():
        try:
            iam.get_role(RoleName=role)
        except iam.exceptions.NoSuchEntityException:
            missing.append(service)
    if missing:
        yield (
            f"the account has no service-linked role for {', '.join(missing)} yet, and the first stack would fail for "
            "want of it: run `aws iam create-service-linked-role --aws-service-name SERVICE` once for each"
        )


LOOKS: tuple[Callable[[AwsSession, Deployment], Iterator[str]], ...] = (
    _vcpus,
    _addresses,
    _vpcs,
    _offerings,
    _service_roles,
)


def _exceeded(session: AwsSession, quota: tuple[str, str], used: int, needed: int, what: str) -> Iterator[str]:
    service, code = quota
    limit = _quota(session, service, code)
    if used + needed > limit:
        yield (
            f"the stack takes up to {needed} {what}, of which the account has {limit:g} "
            f"and {used} in use in {session.region}: have quota {code} of {service} raised, or choose a smaller stack"
        )


def _quota(session: AwsSession, service: str, code: str) -> float:
    quotas = session.client("service-quotas")
    try:
        found: Any = quotas.get_service_quota(ServiceCode=service, QuotaCode=code)
    except quotas.exceptions.NoSuchResourceException:
        found = quotas.get_aws_default_service_quota(ServiceCode=service, QuotaCode=code)
    return float(found["Quota"]["Value"])
