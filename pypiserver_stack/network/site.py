"""Site of the network: looked up in AWS and checked before any resource exists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.invoke_options import invoke_options
from pypiserver_stack.settings import ConfigurationError
from pypiserver_stack.settings.groups.network import NetworkSettings

Input = pulumi.Input[str]


@dataclass(frozen=True)
class OwnSite:
    """The availability zones of a VPC to be made."""

    zones: tuple[str, ...]


@dataclass(frozen=True)
class GivenSite:
    """Subnets that exist already, and the VPC they are in."""

    vpc_id: Input
    vpc_cidrs: tuple[Input, ...]
    """Its own ranges: IPv4, and IPv6 where the stack is dual-stack."""
    instance_subnet_ids: tuple[Input, ...]
    mount_target_subnet_ids: Mapping[str, Input]
    """One for each zone of the instances: by the zone's name, or by the subnet's number while its id is an Output."""
    balancer_subnet_ids: tuple[Input, ...]


def find_site(settings: NetworkSettings, opts: pulumi.ResourceOptions | None = None) -> OwnSite | GivenSite:
    """Ask AWS about the given subnets, or for zones to make some in.

    Subnets that another program gives as Outputs cannot be asked about yet. It promises what would be checked: all are
    of one VPC whose DNS names resolve, and the zones of the balancer's differ and cover those of the instances'. And
    those of the instances' differ too: each of these subnets gets a mount target, of which a zone takes only one. With
    `ipv6_enabled`, the VPC and the balancer's subnets have IPv6 ranges.

    Raises:
        ConfigurationError: AWS does not know the subnets, or what is asked for does not work with them.
    """
    invoke = invoke_options(opts)
    return _given(settings, invoke) if settings.subnets_given else OwnSite(_zones(settings, invoke))


def _zones(settings: NetworkSettings, invoke: pulumi.InvokeOptions) -> tuple[str, ...]:
    count = settings.availability_zone_count
    found = aws.get_availability_zones(
        state="available",
        # Not local zones, which have neither EFS nor balancers and may come first.
        filters=[{"name": "opt-in-status", "values": ["opt-in-not-required"]}],
        opts=invoke,
    ).names
    if len(found) < count:
        raise ConfigurationError(
            f"availability_zone_count = {count}: at most {len(found)} in this region, which are {', '.join(found)}"
        )
    return tuple(found[:count])


def _given(settings: NetworkSettings, invoke: pulumi.InvokeOptions) -> GivenSite:
    instances = [_Found.of(id_, "instance_subnet_ids", invoke) for id_ in settings.instance_subnet_ids]
    balancer = [_Found.of(id_, "balancer_subnet_ids", invoke) for id_ in settings.balancer_subnet_ids]
    known = [subnet for subnet in (*instances, *balancer) if subnet.zone]
    problems = [*_of_one_vpc(known), *_of_the_right_zones(instances, balancer)]
    if settings.ipv6_enabled:
        problems += [f"{subnet} has no IPv6 range, and ipv6_enabled is set" for subnet in balancer if subnet.lacks_ipv6]
    vpc: aws.ec2.GetVpcResult | pulumi.Output[aws.ec2.GetVpcResult]
    if known:
        vpc = aws.ec2.get_vpc(id=known[0].vpc_id, opts=invoke)
        problems += _of_a_vpc_that_resolves_names(vpc)
    else:
        output = pulumi.InvokeOutputOptions(parent=invoke.parent, provider=invoke.provider)
        vpc = aws.ec2.get_vpc_output(id=aws.ec2.get_subnet_output(id=instances[0].id, opts=output).vpc_id, opts=output)
    if problems:
        raise ConfigurationError("; ".join(problems))
    return GivenSite(
        vpc_id=vpc.id,
        vpc_cidrs=(
            vpc.cidr_block,
            *((vpc.ipv6_cidr_block_associations[0].ipv6_cidr_block,) if settings.ipv6_enabled else ()),
        ),
        instance_subnet_ids=settings.instance_subnet_ids,
        mount_target_subnet_ids=_one_in_each_zone(instances),
        balancer_subnet_ids=settings.balancer_subnet_ids,
    )


@dataclass(frozen=True)
class _Found:
    """A given subnet; without VPC and zone while its id is an Output."""

    id: Input
    key: str
    vpc_id: str = ""
    zone: str = ""
    lacks_ipv6: bool = False

    @classmethod
    def of(cls, id_: Input, key: str, invoke: pulumi.InvokeOptions) -> _Found:
        if not isinstance(id_, str):
            return cls(id_, key)
        try:
            subnet = aws.ec2.get_subnet(id=id_, opts=invoke)
        except Exception as refused:  # whatever the provider raises, it does not know the subnet
            raise ConfigurationError(
                f"{key}: AWS has no subnet {id_} in this region and account ({refused})"
            ) from refused
        return cls(id_, key, subnet.vpc_id, subnet.availability_zone, not subnet.ipv6_cidr_block)

    def __str__(self) -> str:
        return f"{self.key}: {self.id} in {self.zone}"


def _of_one_vpc(known: Sequence[_Found]) -> Iterator[str]:
    for subnet in known:
        if subnet.vpc_id != known[0].vpc_id:
            yield f"{subnet} is of the VPC {subnet.vpc_id}, but {known[0].id} of {known[0].vpc_id}: all must be of one"


def _of_a_vpc_that_resolves_names(vpc: aws.ec2.GetVpcResult) -> Iterator[str]:
    if not (vpc.enable_dns_support and vpc.enable_dns_hostnames):
        yield (
            f"instance_subnet_ids: their VPC {vpc.id} lacks enableDnsSupport or enableDnsHostnames, without which the "
            "file system cannot be found by its name: switch both on"
        )


def _of_the_right_zones(instances: Sequence[_Found], balancer: Sequence[_Found]) -> Iterator[str]:
    first: dict[str, _Found] = {}
    for subnet in balancer:
        if subnet.zone and first.setdefault(subnet.zone, subnet) is not subnet:
            yield f"{subnet}, as is {first[subnet.zone].id}: a balancer takes one subnet of a zone"
    if all(subnet.zone for subnet in balancer):
        # The balancer sends nothing to targets in a zone that it is not in.
        for subnet in instances:
            if subnet.zone and subnet.zone not in first:
                yield f"{subnet}, where the balancer has no subnet: add one of that zone to balancer_subnet_ids"


def _one_in_each_zone(subnets: Sequence[_Found]) -> dict[str, Input]:
    first: dict[str, Input] = {}
    for i, subnet in enumerate(subnets):
        first.setdefault(subnet.zone or str(i), subnet.id)
    return first
