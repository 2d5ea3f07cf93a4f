"""Who can reach whom and what, computed from the rules and routes of a resolved graph as AWS applies them.

Security groups remember connections, so an answer needs no rule; what no rule admits is dropped, in either direction.
The VPC's own resolver, its time server and the instance's metadata are not filtered, so they do not appear here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Any

from bench.deployment.graph import Graph, Resource

ANYWHERE, ANYWHERE_IPV6 = "0.0.0.0/0", "::/0"
HTTPS, NFS = 443, 2049
DYNAMIC_PORTS = range(32768, 65536)
# What the agents of a host (ECS, SSM, CloudWatch, Docker for the image and the logs) and ECS for a task call.
SERVICES = (
    *("ec2", "ec2messages", "ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "logs", "monitoring"),
    *("secretsmanager", "ssm", "ssmmessages"),
)


@dataclass(frozen=True)
class Part:
    """Something with network interfaces."""

    name: str
    groups: frozenset[str]
    subnets: tuple[str, ...]


@dataclass(frozen=True)
class Rule:
    """One rule of a security group; `peer` is a group, a range or a prefix list."""

    group: str
    peer: str
    protocol: str
    ports: range


Admitted = tuple[str, str, range]
"""Source, protocol, ports."""


class Reachability:
    """The network of a graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        balancer = graph.one("aws:lb/loadBalancer:LoadBalancer").inputs
        (host_groups,) = (
            template.inputs["vpcSecurityGroupIds"]
            for template in graph.of_type("aws:ec2/launchTemplate:LaunchTemplate")
        )
        host_subnets = graph.one("aws:autoscaling/group:Group").inputs["vpcZoneIdentifiers"]
        targets = [target.inputs for target in graph.of_type("aws:efs/mountTarget:MountTarget")]
        self.balancer = Part("balancer", frozenset(balancer["securityGroups"]), tuple(balancer["subnets"]))
        self.instances = Part("instances", frozenset(host_groups), tuple(host_subnets))
        self.files = Part(
            "files",
            frozenset(group for target in targets for group in target["securityGroups"]),
            tuple(target["subnetId"] for target in targets),
        )
        self.endpoints = {
            service(endpoint): Part(
                "endpoints",
                frozenset(endpoint.inputs["securityGroupIds"]),
                tuple(endpoint.inputs["subnetIds"]),
            )
            for endpoint in graph.of_type("aws:ec2/vpcEndpoint:VpcEndpoint")
            if endpoint.inputs["vpcEndpointType"] == "Interface" and endpoint.inputs["privateDnsEnabled"]
        }
        self.listener_ports = {listener.inputs["port"] for listener in graph.of_type("aws:lb/listener:Listener")}
        self.own_vpc = bool(graph.of_type("aws:ec2/vpc:Vpc"))
        self._ingress = [_rule(r) for r in graph.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")]
        self._egress = [_rule(r) for r in graph.of_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule")]

    @property
    def parts(self) -> tuple[Part, ...]:
        return (self.balancer, self.instances, self.files, *self.endpoints.values())

    def admitted(self, part: Part) -> set[Admitted]:
        """Who gets in, where both ends allow it. A group that no part has is told by its id: it admits strangers."""
        found = set[Admitted]()
        for rule in self._ingress:
            if rule.group not in part.groups:
                continue
            if not rule.peer.startswith("sg-"):
                found.add((rule.peer, rule.protocol, rule.ports))
                continue
            sources = [source for source in self.parts if rule.peer in source.groups]
            if not sources:
                found.add((rule.peer, rule.protocol, rule.ports))
            for source in sources:
                if self.lets_out(source, part.groups, rule.ports):
                    found.add((source.name, rule.protocol, rule.ports))
        return found

    def let_out(self, part: Part) -> set[Admitted]:
        """Where the rules of a part let it go; parts by their names."""
        names = {group: other.name for other in self.parts for group in other.groups}
        return {
            (names.get(rule.peer, rule.peer), rule.protocol, rule.ports)
            for rule in self._egress
            if rule.group in part.groups
        }

    def lets_out(self, part: Part, peers: Set[str], ports: range) -> bool:
        """Whether rules of a part let TCP out to all of these ports of any of the peers."""
        return any(
            rule.group in part.groups
            and rule.peer in peers
            and rule.protocol in ("tcp", "-1")
            and rule.ports.start <= ports.start
            and ports.stop <= rule.ports.stop
            for rule in self._egress
        )

    def calls_service(self, subnet: str, name: str) -> bool:
        """Whether a host in this subnet can call an AWS service."""
        endpoint = self.endpoints.get(name)
        if endpoint is not None:
            return self.lets_out(self.instances, endpoint.groups, one_port(HTTPS)) and bool(
                {(self.instances.name, "tcp", one_port(HTTPS))} & self.admitted(endpoint)
            )
        return self.calls_internet(subnet)

    def calls_s3(self, subnet: str) -> bool:
        """Through the gateway endpoint, which every private subnet of an own VPC has."""
        if not self.own_vpc:
            return self.calls_internet(subnet)
        return any(
            self.table_of(subnet) in endpoint.inputs.get("routeTableIds", ())
            and self.lets_out(self.instances, {ANYWHERE, endpoint.outputs["prefixListId"]}, one_port(HTTPS))
            for endpoint in self._graph.of_type("aws:ec2/vpcEndpoint:VpcEndpoint")
            if service(endpoint) == "s3"
        )

    def calls_internet(self, subnet: str) -> bool:
        """Whether a host in this subnet reaches HTTPS anywhere; given subnets are trusted to have their routes."""
        allowed = self.lets_out(self.instances, {ANYWHERE}, one_port(HTTPS))
        return allowed and (not self.own_vpc or self.leads_through_nat(subnet))

    def leads_through_nat(self, subnet: str) -> bool:
        nat = self._existing("aws:ec2/natGateway:NatGateway", self.route(subnet, ANYWHERE).get("natGatewayId"))
        return nat is not None and self.leads_to_internet(nat.inputs["subnetId"], ANYWHERE)

    def leads_to_internet(self, subnet: str, destination: str) -> bool:
        gateway = self.route(subnet, destination).get("gatewayId")
        return self._existing("aws:ec2/internetGateway:InternetGateway", gateway) is not None

    def leads_out_alone(self, subnet: str) -> bool:
        """Whether IPv6 connections get out of this subnet and none get in."""
        gateway = self.route(subnet, ANYWHERE_IPV6).get("egressOnlyGatewayId")
        return self._existing("aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway", gateway) is not None

    def nat_zone(self, subnet: str) -> str:
        nat = self._existing("aws:ec2/natGateway:NatGateway", self.route(subnet, ANYWHERE).get("natGatewayId"))
        return self.zone(nat.inputs["subnetId"]) if nat else ""

    def route(self, subnet: str, destination: str) -> dict[str, Any]:
        """The route to everywhere of a subnet's table; empty where there is none."""
        key = "destinationCidrBlock" if destination == ANYWHERE else "destinationIpv6CidrBlock"
        for route in self._graph.of_type("aws:ec2/route:Route"):
            if route.inputs["routeTableId"] == self.table_of(subnet) and route.inputs.get(key) == destination:
                return dict(route.inputs)
        return {}

    def table_of(self, subnet: str) -> str:
        kind = "aws:ec2/routeTableAssociation:RouteTableAssociation"
        tables = [a.inputs["routeTableId"] for a in self._graph.of_type(kind) if a.inputs["subnetId"] == subnet]
        return tables[0] if tables else ""

    def zone(self, subnet: str) -> str:
        found = self._existing("aws:ec2/subnet:Subnet", subnet)
        return str(found.inputs["availabilityZone"]) if found else ""

    def _existing(self, type_: str, id_: str | None) -> Resource | None:
        return next((resource for resource in self._graph.of_type(type_) if resource.id == id_), None)


def violations(graph: Graph, clients: Set[str]) -> list[str]:
    """What is open that must not be, and what is closed that must be open.

    Args:
        clients: the ranges and prefix lists that may reach the balancer, all of them, and no others.
    """
    dual_stack = any(":" in client for client in clients)
    return [*_inward(graph, clients), *_outward(graph, dual_stack), *_routes(graph)]


def _inward(graph: Graph, clients: Set[str]) -> Iterator[str]:
    net = Reachability(graph)
    wanted: dict[Part, set[Admitted]] = {
        net.balancer: {(client, "tcp", one_port(port)) for client in clients for port in net.listener_ports},
        net.instances: {("balancer", "tcp", DYNAMIC_PORTS)},
        net.files: {("instances", "tcp", one_port(NFS))},
        **{endpoint: {("instances", "tcp", one_port(HTTPS))} for endpoint in net.endpoints.values()},
    }
    for part, sources in wanted.items():
        if net.admitted(part) != sources:
            yield f"{part.name} admits {net.admitted(part)} instead of {sources}"
    for group in graph.of_type("aws:ec2/securityGroup:SecurityGroup"):
        if group.inputs.get("ingress") or group.inputs.get("egress"):
            yield f"{group.name} has rules of its own beside those that are resources"
    if graph.of_type("aws:ec2/securityGroupRule:SecurityGroupRule"):
        yield "there are rules of a kind that is not looked at"
    default = graph.of_type("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup")
    if net.own_vpc and [(group.inputs["ingress"], group.inputs["egress"]) for group in default] != [([], [])]:
        yield "the default group of the VPC is not closed"


def _outward(graph: Graph, dual_stack: bool) -> Iterator[str]:
    net = Reachability(graph)
    nat_or_given = bool(graph.of_type("aws:ec2/natGateway:NatGateway")) or not net.own_vpc
    if dual_stack and nat_or_given and not net.lets_out(net.instances, {ANYWHERE_IPV6}, one_port(HTTPS)):
        yield "hosts may not call anything by IPv6"
    definition = graph.one("aws:ecs/taskDefinition:TaskDefinition").inputs
    (image,) = {container["image"] for container in json.loads(definition["containerDefinitions"])}
    for subnet in net.instances.subnets:
        for name in SERVICES:
            if not net.calls_service(subnet, name):
                yield f"{subnet} cannot call {name}"
        if not net.calls_s3(subnet):
            yield f"{subnet} cannot call s3"
        # What ECR holds comes through ecr.api, ecr.dkr and s3, which are looked at above.
        if not re.match(r"\d+\.dkr\.ecr\.", image) and not net.calls_internet(subnet):
            yield f"{subnet} cannot pull {image}"
        if net.own_vpc and net.zone(subnet) not in {net.zone(target) for target in net.files.subnets}:
            yield f"{subnet} has no mount target in its zone"
    for name, endpoint in net.endpoints.items():
        if not set(net.instances.subnets) <= set(endpoint.subnets):
            yield f"the endpoint of {name} is not in every zone"


def _routes(graph: Graph) -> Iterator[str]:
    net = Reachability(graph)
    if not net.own_vpc:
        return
    vpc = graph.one("aws:ec2/vpc:Vpc")
    families = [ANYWHERE, ANYWHERE_IPV6] if vpc.inputs["assignGeneratedIpv6CidrBlock"] else [ANYWHERE]
    gateways = graph.of_type("aws:ec2/natGateway:NatGateway")
    private = net.instances.subnets
    for subnet in sorted({subnet.id for subnet in graph.of_type("aws:ec2/subnet:Subnet")} - set(private)):
        for destination in families:
            if not net.leads_to_internet(subnet, destination):
                yield f"{subnet} is public and has no way to {destination}"
    for subnet in private:
        if any(net.leads_to_internet(subnet, destination) for destination in families):
            yield f"{subnet} is private and reached from the internet"
        if gateways:
            if not net.leads_through_nat(subnet):
                yield f"{subnet} has no way out through NAT"
            if len(gateways) > 1 and net.nat_zone(subnet) != net.zone(subnet):
                yield f"{subnet} leaves through another zone"
            if ANYWHERE_IPV6 in families and not net.leads_out_alone(subnet):
                yield f"{subnet} has no way out by IPv6"
        elif net.route(subnet, ANYWHERE) or net.route(subnet, ANYWHERE_IPV6):
            yield f"{subnet} has a way out, and nothing to take it"


def one_port(port: int) -> range:
    return range(port, port + 1)


def service(endpoint: Resource) -> str:
    """`ecr.api` of `com.amazonaws.us-west-2.ecr.api`."""
    return str(endpoint.inputs["serviceName"]).split(".", 3)[3]


def _rule(resource: Resource) -> Rule:
    inputs = resource.inputs
    keys = ("referencedSecurityGroupId", "cidrIpv4", "cidrIpv6", "prefixListId")
    (peer,) = (inputs[key] for key in keys if key in inputs)
    return Rule(inputs["securityGroupId"], peer, inputs["ipProtocol"], range(inputs["fromPort"], inputs["toPort"] + 1))
