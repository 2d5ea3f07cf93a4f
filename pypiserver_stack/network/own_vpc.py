"""The stack's own VPC: its subnets and their routes."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from itertools import islice

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.settings.groups.network import NetworkSettings

ANYWHERE = "0.0.0.0/0"
ANYWHERE_IPV6 = "::/0"
# Of the 256 IPv6 ranges of the VPC, the private subnets' begin here; the public ones' at 0.
FIRST_PRIVATE_IPV6 = 16


class OwnVpc(pulumi.ComponentResource):
    """In each zone a public subnet, routed to the internet, and a private one, from which connections only go out.

    Each private subnet has a route table of its own, whichever NAT gateway it leads to: so a change of
    `nat_gateways` changes routes, and no subnet is without one meanwhile.
    """

    def __init__(
        self,
        name: str,
        settings: NetworkSettings,
        tags: Tags,
        zones: Sequence[str],
        *,
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:OwnVpc", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = tags
        self._settings = settings
        self.vpc = aws.ec2.Vpc(
            name,
            cidr_block=settings.vpc_cidr,
            assign_generated_ipv6_cidr_block=settings.ipv6_enabled,
            enable_dns_support=True,
            enable_dns_hostnames=True,  # mount targets and endpoints are reached by name
            tags=self._tags(name),
            # AWS moves no balancer into another VPC, and would refuse it only after the NAT gateways and mount targets
            # of this one have gone. With this the preview refuses it.
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
        aws.ec2.DefaultSecurityGroup(
            name,
            vpc_id=self.vpc.id,
            # Whatever is started here without a group of its own falls into this one: it admits and lets out nothing.
            ingress=[],
            egress=[],
            tags=self._tags(f"{name}-default"),
            opts=self._child,
        )
        public = [
            self._subnet(f"{name}-public-{i}", zone, public_range(settings.vpc_cidr, i), i)
            for i, zone in enumerate(zones)
        ]
        private = [
            self._subnet(f"{name}-private-{i}", zone, private_range(settings.vpc_cidr, i), FIRST_PRIVATE_IPV6 + i)
            for i, zone in enumerate(zones)
        ]
        self.public_subnet_ids = [subnet.id for subnet in public]
        self.private_subnet_ids = [subnet.id for subnet in private]
        self.internet_access = self._route_public(name, public)
        """The internet gateway, and what leads the public subnets to it."""
        self.private_route_table_ids = self._route_private(name, public, private)
        self.register_outputs({"vpc_id": self.vpc.id})

    @property
    def cidrs(self) -> list[pulumi.Output[str]]:
        """The VPC's own ranges."""
        return [self.vpc.cidr_block, *([self.vpc.ipv6_cidr_block] if self._settings.ipv6_enabled else [])]

    def _subnet(self, name: str, zone: str, cidr: str, ipv6_index: int) -> aws.ec2.Subnet:
        dual_stack = self._settings.ipv6_enabled
        return aws.ec2.Subnet(
            name,
            vpc_id=self.vpc.id,
            availability_zone=zone,
            cidr_block=cidr,
            # AWS chooses the VPC's block, and only then can it be divided.
            ipv6_cidr_block=self.vpc.ipv6_cidr_block.apply(lambda block: ipv6_range(block, ipv6_index))
            if dual_stack
            else None,
            assign_ipv6_address_on_creation=dual_stack and ipv6_index >= FIRST_PRIVATE_IPV6,
            tags=self._tags(name),
            opts=pulumi.ResourceOptions(
                parent=self,
                # The list of zones changes when AWS adds one or takes one out of service; a subnet stays where it is.
                ignore_changes=["availabilityZone"],
            ),
        )

    def _table(self, name: str) -> aws.ec2.RouteTable:
        return aws.ec2.RouteTable(name, vpc_id=self.vpc.id, tags=self._tags(name), opts=self._child)

    def _associate(self, name: str, table: aws.ec2.RouteTable, subnet: aws.ec2.Subnet) -> aws.ec2.RouteTableAssociation:
        return aws.ec2.RouteTableAssociation(name, route_table_id=table.id, subnet_id=subnet.id, opts=self._child)

    def _route_public(self, name: str, subnets: Sequence[aws.ec2.Subnet]) -> list[pulumi.Resource]:
        gateway = aws.ec2.InternetGateway(name, vpc_id=self.vpc.id, tags=self._tags(name), opts=self._child)
        table = self._table(f"{name}-public")
        access: list[pulumi.Resource] = [
            gateway,
            *(self._associate(f"{name}-public-{i}", table, subnet) for i, subnet in enumerate(subnets)),
            aws.ec2.Route(
                f"{name}-public",
                route_table_id=table.id,
                destination_cidr_block=ANYWHERE,
                gateway_id=gateway.id,
                opts=self._child,
            ),
        ]
        if self._settings.ipv6_enabled:
            access.append(
                aws.ec2.Route(
                    f"{name}-public-ipv6",
                    route_table_id=table.id,
                    destination_ipv6_cidr_block=ANYWHERE_IPV6,
                    gateway_id=gateway.id,
                    opts=self._child,
                )
            )
        return access

    def _route_private(
        self, name: str, public: Sequence[aws.ec2.Subnet], private: Sequence[aws.ec2.Subnet]
    ) -> list[pulumi.Output[str]]:
        tables = [self._table(f"{name}-private-{i}") for i in range(len(private))]
        for i, (table, subnet) in enumerate(zip(tables, private, strict=True)):
            self._associate(f"{name}-private-{i}", table, subnet)
        if self._settings.nat_gateways != "none":
            with_gateway = public if self._settings.nat_gateways == "one_per_zone" else public[:1]
            gateways = [self._nat(f"{name}-{i}", subnet) for i, subnet in enumerate(with_gateway)]
            for i, table in enumerate(tables):
                aws.ec2.Route(
                    f"{name}-private-{i}",
                    route_table_id=table.id,
                    destination_cidr_block=ANYWHERE,
                    nat_gateway_id=gateways[i % len(gateways)].id,
                    opts=self._child,
                )
            if self._settings.ipv6_enabled:
                self._route_ipv6_out(name, tables)
        return [table.id for table in tables]

    def _nat(self, name: str, subnet: aws.ec2.Subnet) -> aws.ec2.NatGateway:
        # No argument names the internet gateway, without which AWS refuses a NAT gateway and associates no address.
        address = aws.ec2.Eip(
            name,
            domain="vpc",
            tags=self._tags(name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=self.internet_access),
        )
        return aws.ec2.NatGateway(
            name,
            allocation_id=address.id,
            subnet_id=subnet.id,
            tags=self._tags(name),
            # An address serves one NAT gateway at a time: the old one has to go first.
            opts=pulumi.ResourceOptions(parent=self, depends_on=self.internet_access, delete_before_replace=True),
        )

    def _route_ipv6_out(self, name: str, tables: Sequence[aws.ec2.RouteTable]) -> None:
        gateway = aws.ec2.EgressOnlyInternetGateway(name, vpc_id=self.vpc.id, tags=self._tags(name), opts=self._child)
        for i, table in enumerate(tables):
            aws.ec2.Route(
                f"{name}-private-{i}-ipv6",
                route_table_id=table.id,
                destination_ipv6_cidr_block=ANYWHERE_IPV6,
                egress_only_gateway_id=gateway.id,
                opts=self._child,
            )


# The first quarter of the IPv4 range is for the public subnets, a quarter of it each; the other three quarters are a
# private subnet each. So a third zone changes nothing about the first two.


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
