"""Division of the VPC's address ranges. Pure arithmetic.

The first quarter of the IPv4 range is for the public subnets, a quarter of it each; the other three quarters are a
private subnet each. So a third zone changes nothing about the first two.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from itertools import islice


def public_range(vpc_cidr: str, zone: int) -> str:
    """The IPv4 range of the public subnet in a zone, counted from 0."""
    quarter = next(IPv4Network(vpc_cidr).subnets(prefixlen_diff=2))
    return str(list(quarter.subnets(prefixlen_diff=2))[zone])


def private_range(vpc_cidr: str, zone: int) -> str:
    """The IPv4 range of the private subnet in a zone, counted from 0."""
    return str(list(IPv4Network(vpc_cidr).subnets(prefixlen_diff=2))[1 + zone])


def ipv6_range(vpc_ipv6_cidr: str, index: int) -> str:
    """One of the 256 ranges of the block that AWS gives a VPC; a subnet takes a /64, no more and no less."""
    return str(next(islice(IPv6Network(vpc_ipv6_cidr).subnets(new_prefix=64), index, None)))
