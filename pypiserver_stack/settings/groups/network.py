"""Settings of the network: given subnets, or a VPC of the stack's own."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal

from pydantic import Field

from pypiserver_stack.settings.problems import Problem
from pypiserver_stack.settings.types import LISTED, Group, LogRetentionDays, only, reference

_PRIVATE_RANGES = [IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
# Docker's own bridge on every instance: a task would look for addresses of this range there, not in the VPC.
_DOCKER_RANGE = IPv4Network("172.17.0.0/16")
_LARGEST_VPC, _SMALLEST_VPC = 16, 23
OWN_VPC_ALONE = ("vpc_cidr", "availability_zone_count", "nat_gateways", "flow_logs_enabled", "flow_logs_retention_days")


def _holds_the_subnets(cidr: str) -> bool:
    block = IPv4Network(cidr)
    private = any(block.subnet_of(allowed) for allowed in _PRIVATE_RANGES)
    return private and _LARGEST_VPC <= block.prefixlen <= _SMALLEST_VPC and not block.overlaps(_DOCKER_RANGE)


_SubnetId: Any = reference(r"subnet-[0-9a-f]{8,17}", "the id of a subnet (`subnet-...`)")
_OCTET = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
_Address: Any = reference(rf"({_OCTET}\.){{3}}{_OCTET}", "an IPv4 address")


class NetworkSettings(Group):
    """Network."""

    instance_subnet_ids: Annotated[tuple[_SubnetId, ...], LISTED] = ()
    """Subnets of the instances and the mount targets, used as they are; none: the stack makes a VPC. They need a way
    out to AWS's services and to the image's registry."""
    balancer_subnet_ids: Annotated[tuple[_SubnetId, ...], LISTED] = ()
    """Subnets of the balancer, of the same VPC: one in each availability zone that has instances, at least two."""
    resolver_addresses: Annotated[tuple[_Address, ...], LISTED] = Field(
        default=(),
        max_length=4,  # as DHCP options have; each takes two of the 60 rules of a security group
        json_schema_extra={"takes": "a list of at most 4, each an IPv4 address"},
    )
    """DNS servers that the DHCP options of the given subnets' VPC name; none: Amazon's, which need no rule."""
    vpc_cidr: Annotated[str, only(_holds_the_subnets)] = Field(
        default="10.98.0.0/16",
        json_schema_extra={
            "takes": f"a private range from /{_LARGEST_VPC} to /{_SMALLEST_VPC} apart from Docker's own {_DOCKER_RANGE}"
        },
    )
    """IPv4 range of the stack's own VPC, chosen once: another range is another VPC, into which AWS moves no balancer.
    `deletion_protection` refuses such a change in the preview."""
    availability_zone_count: int = Field(default=2, ge=2, le=3)
    """Availability zones of the stack's own VPC."""
    nat_gateways: Literal["one", "one_per_zone", "none"] = "one"
    """The way out of the private subnets of the stack's own VPC. one: for all zones, which lose it with its zone.
    one_per_zone: each zone has its own. none: AWS's services through interface endpoints, and nothing else; the image
    then comes from ECR in the stack's region."""
    ipv6_enabled: bool = False
    """Dual-stack: the balancer has IPv6 addresses, and so have the instances of the stack's own VPC. Given balancer
    subnets need IPv6 ranges. Switching it off replaces the private subnets of the stack's own VPC."""
    flow_logs_enabled: bool = False
    """Log the traffic of the stack's own VPC to CloudWatch, per connection."""
    flow_logs_retention_days: LogRetentionDays = 30
    """Days for which flow logs are kept."""

    @property
    def subnets_given(self) -> bool:
        """Whether the network exists already."""
        return bool(self.instance_subnet_ids or self.balancer_subnet_ids)

    def contradictions(self) -> Iterator[Problem]:
        """Half a network, and settings of the one that is not made."""
        keys = frozenset(("instance_subnet_ids", "balancer_subnet_ids"))
        for key in sorted(keys):
            (other,) = keys - {key}
            given = getattr(self, key)
            if given and not getattr(self, other):
                allowed = f"needed with {key}: give both, or neither for a VPC of the stack's own"
                yield self.refused(other, allowed, key)
            if _twice(given):
                yield self.refused(key, "names a subnet twice")
        if len(self.balancer_subnet_ids) == 1:
            allowed = "at least two, in different availability zones: a balancer takes no fewer"
            yield self.refused("balancer_subnet_ids", allowed)
        if self.subnets_given:
            for key in OWN_VPC_ALONE:
                if key in self.model_fields_set:
                    allowed = (
                        "is about a VPC of the stack's own, and subnets are given: leave out the one or the others"
                    )
                    yield Problem(key, getattr(self, key), allowed, keys)
        elif self.resolver_addresses:
            allowed = "is about the VPC of given subnets, and none are given: the stack's own VPC has Amazon's resolver"
            yield self.refused("resolver_addresses", allowed, *keys)


def _twice(given: tuple[Any, ...]) -> bool:
    known = [value for value in given if isinstance(value, str)]
    return len(set(known)) < len(known)
