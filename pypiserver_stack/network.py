"""The network: a VPC over two availability zones, and who may reach whom in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from pypiserver_stack.settings import Settings
from pypiserver_stack.tags import Tags

CIDR = "10.98.0.0/16"
ZONES = 2  # The fewest that an Application Load Balancer takes.
ANYWHERE = "0.0.0.0/0"
EPHEMERAL_PORTS = (32768, 65535)  # Where Docker publishes a container whose host port is 0.
IN = aws.vpc.SecurityGroupIngressRule
OUT = aws.vpc.SecurityGroupEgressRule


@dataclass(frozen=True)
class Clients:
    """Who may reach the balancer, and where it listens."""

    ports: Sequence[int] = (80,)
    cidrs: Sequence[str] = ()
    """IPv4 or IPv6 ranges; with none of these, the VPC's own."""


class Network(pulumi.ComponentResource):
    """Public subnets for the way out, private ones for the hosts and the mount targets; the balancer is in either.

    The security groups name each other: clients -> balancer -> instances -> file system, and nothing else inwards.
    """

    def __init__(
        self, name: str, settings: Settings, *, clients: Clients, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("pypiserver:index:Network", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = Tags(settings)
        self.vpc = aws.ec2.Vpc(
            name,
            cidr_block=CIDR,
            enable_dns_support=True,
            enable_dns_hostnames=True,  # mount targets are reached by name
            tags=self._tags(name),
            opts=self._child,
        )
        zones = aws.get_availability_zones_output(
            state="available",
            # Not local zones, which have neither EFS nor balancers and may come first.
            filters=[aws.GetAvailabilityZonesFilterArgs(name="opt-in-status", values=["opt-in-not-required"])],
            opts=pulumi.InvokeOutputOptions(parent=self),
        ).names
        public = [self._subnet(f"{name}-public-{i}", zones[i], f"10.98.{i}.0/24") for i in range(ZONES)]
        private = [self._subnet(f"{name}-private-{i}", zones[i], f"10.98.{16 + i}.0/24") for i in range(ZONES)]
        self._connect(name, public, private)
        self.public_subnet_ids = [subnet.id for subnet in public]
        self.private_subnet_ids = [subnet.id for subnet in private]
        self.internal_subnet_ids = self.private_subnet_ids
        self.vpc_id = self.vpc.id
        self.vpc_cidrs = [self.vpc.cidr_block]
        self.ip_address_type = "ipv4"

        self.balancer_group = self._group(f"{name}-balancer", "The load balancer")
        self.instance_group = self._group(f"{name}-instances", "The ECS container instances")
        self.file_system_group = self._group(f"{name}-files", "The EFS mount targets")
        self._rules(name, clients)
        self.register_outputs({"vpc_id": self.vpc.id})

    def _subnet(self, name: str, zone: pulumi.Output[str], cidr: str) -> aws.ec2.Subnet:
        return aws.ec2.Subnet(
            name, vpc_id=self.vpc.id, availability_zone=zone, cidr_block=cidr, tags=self._tags(name), opts=self._child
        )

    def _connect(self, name: str, public: list[aws.ec2.Subnet], private: list[aws.ec2.Subnet]) -> None:
        internet = aws.ec2.InternetGateway(name, vpc_id=self.vpc.id, tags=self._tags(name), opts=self._child)
        address = aws.ec2.Eip(name, domain="vpc", tags=self._tags(name), opts=self._child)
        nat = aws.ec2.NatGateway(
            name,
            allocation_id=address.id,
            subnet_id=public[0].id,
            tags=self._tags(name),
            # A NAT gateway is refused until its VPC has an internet gateway, which no argument of it names.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[internet]),
        )
        self._route_table(
            f"{name}-public", aws.ec2.RouteTableRouteArgs(cidr_block=ANYWHERE, gateway_id=internet.id), public
        )
        self._route_table(
            f"{name}-private", aws.ec2.RouteTableRouteArgs(cidr_block=ANYWHERE, nat_gateway_id=nat.id), private
        )

    def _route_table(self, name: str, route: aws.ec2.RouteTableRouteArgs, subnets: list[aws.ec2.Subnet]) -> None:
        table = aws.ec2.RouteTable(name, vpc_id=self.vpc.id, routes=[route], tags=self._tags(name), opts=self._child)
        for i, subnet in enumerate(subnets):
            aws.ec2.RouteTableAssociation(f"{name}-{i}", route_table_id=table.id, subnet_id=subnet.id, opts=self._child)

    def _group(self, name: str, description: str) -> aws.ec2.SecurityGroup:
        return aws.ec2.SecurityGroup(
            name, vpc_id=self.vpc.id, description=description, tags=self._tags(name), opts=self._child
        )

    def _rules(self, name: str, clients: Clients) -> None:
        balancer, instances, files = self.balancer_group.id, self.instance_group.id, self.file_system_group.id
        ranges: dict[str, pulumi.Input[str]] = {_part_of_a_name(cidr): cidr for cidr in clients.cidrs}
        for port in clients.ports:
            for source, cidr in (ranges or {"vpc": self.vpc.cidr_block}).items():
                self._allow(IN, f"{name}-{source}-to-balancer-{port}", balancer, (port, port), cidr=cidr)
        self._allow(OUT, f"{name}-balancer-to-instances", balancer, EPHEMERAL_PORTS, group=instances)
        self._allow(IN, f"{name}-instances-from-balancer", instances, EPHEMERAL_PORTS, group=balancer)
        self._allow(OUT, f"{name}-instances-to-files", instances, (2049, 2049), group=files)
        self._allow(IN, f"{name}-files-from-instances", files, (2049, 2049), group=instances)
        # AWS's own services and the image registry.
        self._allow(OUT, f"{name}-instances-to-https", instances, (443, 443), cidr=ANYWHERE)

    def _allow(
        self,
        direction: type[aws.vpc.SecurityGroupIngressRule] | type[aws.vpc.SecurityGroupEgressRule],
        name: str,
        owner: pulumi.Output[str],
        ports: tuple[int, int],
        *,
        group: pulumi.Output[str] | None = None,
        cidr: pulumi.Input[str] | None = None,
    ) -> None:
        ipv6 = isinstance(cidr, str) and ":" in cidr
        direction(
            name,
            security_group_id=owner,
            ip_protocol="tcp",
            from_port=ports[0],
            to_port=ports[1],
            referenced_security_group_id=group,
            cidr_ipv4=None if ipv6 else cidr,
            cidr_ipv6=cidr if ipv6 else None,
            tags=self._tags(name),
            opts=self._child,
        )


def _part_of_a_name(cidr: str) -> str:
    return cidr.replace(":", "-").replace("/", "-")
