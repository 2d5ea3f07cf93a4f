"""Security groups: clients -> balancer -> instances -> file system, and nothing else inwards.

Groups name each other, so that a rule holds wherever a part is and for nothing that is not one. Amazon's resolver, its
time server and the instance's metadata need no rule: security groups do not filter them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.network.own_vpc import ANYWHERE, ANYWHERE_IPV6
from pypiserver_stack.settings.groups.network import NetworkSettings

EPHEMERAL_PORTS = (32768, 65535)  # Where Docker publishes a container whose host port is 0.
NFS = (2049, 2049)
HTTPS = (443, 443)
DNS = (53, 53)

Input = pulumi.Input[str]
_Peer = Mapping[str, Input]
"""The other side of a rule, under the name of its argument."""


@dataclass(frozen=True)
class AllowedClients:
    """Clients that may reach the balancer, and the ports it listens on."""

    ports: Sequence[int] = (80,)
    cidrs: Sequence[str] = ()
    """IPv4 or IPv6 ranges; with none of these and no prefix lists, the VPC's own."""
    prefix_list_ids: Sequence[Input] = ()


class SecurityGroups(pulumi.ComponentResource):
    """A group for each part, and the rules between them."""

    def __init__(
        self,
        name: str,
        settings: NetworkSettings,
        tags: Tags,
        *,
        vpc_id: Input,
        vpc_cidrs: Sequence[Input],
        clients: AllowedClients,
        s3_prefix_list_id: Input | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        Args:
            vpc_cidrs: the VPC's own ranges: IPv4, then IPv6 if there is one.
            s3_prefix_list_id: where instances have no way to the internet: of the gateway endpoint in its place.
        """
        super().__init__("pypiserver:index:SecurityGroups", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = tags
        self._vpc_id = vpc_id
        self._name = name
        self.balancer = self._group("balancer", "The load balancer")
        self.instances = self._group("instances", "The ECS container instances")
        self.files = self._group("files", "The EFS mount targets")
        self.endpoints = None if s3_prefix_list_id is None else self._group("endpoints", "Endpoints of AWS services")
        self._admit_clients(clients, vpc_cidrs)
        self._connect("balancer-to-instances", self.balancer, self.instances, EPHEMERAL_PORTS)
        self._connect("instances-to-files", self.instances, self.files, NFS)
        if self.endpoints is None or s3_prefix_list_id is None:
            # AWS's services and the image's registry, whose addresses nobody promises.
            self._egress("instances-to-https", self.instances, HTTPS, {"cidr_ipv4": ANYWHERE})
            if settings.ipv6_enabled:
                self._egress("instances-to-https-ipv6", self.instances, HTTPS, {"cidr_ipv6": ANYWHERE_IPV6})
        else:
            self._connect("instances-to-endpoints", self.instances, self.endpoints, HTTPS)
            self._egress("instances-to-s3", self.instances, HTTPS, {"prefix_list_id": s3_prefix_list_id})
        for i, address in enumerate(settings.resolver_addresses):
            for protocol in ("udp", "tcp"):
                resolver = {"cidr_ipv4": pulumi.Output.concat(address, "/32")}
                self._egress(f"instances-to-resolver-{i}-{protocol}", self.instances, DNS, resolver, protocol)
        self.register_outputs({})

    def _group(self, part: str, description: str) -> aws.ec2.SecurityGroup:
        name = f"{self._name}-{part}"
        return aws.ec2.SecurityGroup(
            name, vpc_id=self._vpc_id, description=description, tags=self._tags(name), opts=self._child
        )

    def _admit_clients(self, clients: AllowedClients, vpc_cidrs: Sequence[Input]) -> None:
        peers: dict[str, _Peer] = {
            cidr.translate(_NAMEABLE): {"cidr_ipv6" if ":" in cidr else "cidr_ipv4": cidr} for cidr in clients.cidrs
        }
        peers |= {f"list-{i}": {"prefix_list_id": id_} for i, id_ in enumerate(clients.prefix_list_ids)}
        if not peers:
            ipv4, *ipv6 = vpc_cidrs
            peers = {"vpc": {"cidr_ipv4": ipv4}}
            if ipv6:
                peers["vpc-ipv6"] = {"cidr_ipv6": ipv6[0]}
        for port in clients.ports:
            for label, peer in peers.items():
                self._ingress(f"clients-{label}-to-{port}", self.balancer, (port, port), peer)

    def _connect(
        self, what: str, source: aws.ec2.SecurityGroup, target: aws.ec2.SecurityGroup, ports: tuple[int, int]
    ) -> None:
        """Out of one group and into the other: either rule alone lets nothing through."""
        self._egress(what, source, ports, {"referenced_security_group_id": target.id})
        self._ingress(what, target, ports, {"referenced_security_group_id": source.id})

    def _ingress(self, what: str, owner: aws.ec2.SecurityGroup, ports: tuple[int, int], peer: _Peer) -> None:
        self._rule(aws.vpc.SecurityGroupIngressRule, what, owner, ports, peer, "tcp")

    def _egress(
        self, what: str, owner: aws.ec2.SecurityGroup, ports: tuple[int, int], peer: _Peer, protocol: str = "tcp"
    ) -> None:
        self._rule(aws.vpc.SecurityGroupEgressRule, what, owner, ports, peer, protocol)

    def _rule(
        self,
        direction: type[aws.vpc.SecurityGroupIngressRule] | type[aws.vpc.SecurityGroupEgressRule],
        what: str,
        owner: aws.ec2.SecurityGroup,
        ports: tuple[int, int],
        peer: _Peer,
        protocol: str,
    ) -> None:
        name = f"{self._name}-{what}"
        direction(
            name,
            description=what.replace("-", " ").capitalize(),
            security_group_id=owner.id,
            ip_protocol=protocol,
            from_port=ports[0],
            to_port=ports[1],
            **peer,
            tags=self._tags(name),
            opts=self._child,
        )


_NAMEABLE = str.maketrans("/:", "--")
"""A resource's name goes into its URN, where colons separate."""
