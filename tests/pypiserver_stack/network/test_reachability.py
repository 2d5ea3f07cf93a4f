"""internet -> balancer -> instances -> file system, and nothing else inwards; everything that is needed outwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bench.deployment.graph import Graph, Resource
from sizing.profiles import PROFILES
from tests.pypiserver_stack.support.evaluation import ROOT, evaluated
from tests.pypiserver_stack.support.reachability import Reachability, one_port, violations

ECR_IMAGE = "image=123456789012.dkr.ecr.us-west-2.amazonaws.com/pypiserver:v2.4.2"
GIVEN = (
    "instance_subnet_ids=subnet-0123456789abcde00,subnet-0123456789abcde01",
    "balancer_subnet_ids=subnet-0123456789abcde30,subnet-0123456789abcde31",
)
NETWORKS = {
    "one NAT gateway": (),
    "three zones": ("availability_zone_count=3",),
    "one per zone": ("nat_gateways=one_per_zone", "availability_zone_count=3"),
    "no NAT": ("nat_gateways=none", ECR_IMAGE),
    "one, dual-stack": ("ipv6_enabled=true",),
    "one per zone, dual-stack": ("nat_gateways=one_per_zone", "ipv6_enabled=true"),
    "no NAT, dual-stack": ("nat_gateways=none", "ipv6_enabled=true", ECR_IMAGE),
    "given": GIVEN,
    "given, dual-stack": (*GIVEN, "ipv6_enabled=true"),
}
STACKS = [path.name.split(".")[1] for path in sorted(ROOT.glob("Pulumi.*.yaml"))]
EVERYWHERE = {
    **{stack: (stack, ()) for stack in STACKS},
    **{f"profile {name}": ("stress", (f"profile={name}",)) for name in PROFILES},
    **{name: ("stress", overrides) for name, overrides in NETWORKS.items()},
}
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
# Where hosts may go for HTTPS.
ANYWHERE = {
    "one NAT gateway": {"0.0.0.0/0"},
    "one per zone, dual-stack": {"0.0.0.0/0", "::/0"},
    "no NAT": {"endpoints", "S3"},
    "no NAT, dual-stack": {"endpoints", "S3"},
    "given": {"0.0.0.0/0"},
    "given, dual-stack": {"0.0.0.0/0", "::/0"},
}
# Taken away, each of these must be missed.
NEEDED = {
    INGRESS,
    EGRESS,
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway",
    "aws:ec2/internetGateway:InternetGateway",
    "aws:ec2/natGateway:NatGateway",
    "aws:ec2/route:Route",
    "aws:ec2/routeTableAssociation:RouteTableAssociation",
    ENDPOINT,
}


def clients(graph: Graph) -> set[str]:
    """The VPC's own ranges."""
    own = graph.of_type("aws:ec2/vpc:Vpc")
    if not own:
        dual_stack = any(rule.inputs.get("cidrIpv6") == "::/0" for rule in graph.of_type(EGRESS))
        return {"10.20.0.0/16", "2600:1f14:14:a00::/56"} if dual_stack else {"10.20.0.0/16"}
    block = own[0].outputs.get("ipv6CidrBlock")
    return {own[0].inputs["cidrBlock"], *([block] if block else [])}


def without(graph: Graph, urn: str) -> Graph:
    return Graph({other: resource for other, resource in graph.resources.items() if other != urn})


def given(graph: Graph, resource: Resource, **inputs: Any) -> Graph:
    changed = replace(resource, inputs={**resource.inputs, **inputs}, outputs={**resource.outputs, **inputs})
    return Graph({**graph.resources, resource.urn: changed})


def opened(graph: Graph, kind: str, **inputs: Any) -> Graph:
    """The graph with one rule more, a copy of another but for these inputs."""
    rule = graph.of_type(kind)[0]
    base = {k: v for k, v in rule.inputs.items() if k not in ("referencedSecurityGroupId", "cidrIpv4", "cidrIpv6")}
    urn = f"{rule.urn}-another"
    return Graph({**graph.resources, urn: replace(rule, urn=urn, inputs={**base, **inputs})})


@pytest.mark.parametrize(("stack", "overrides"), EVERYWHERE.values(), ids=EVERYWHERE)
def test_what_must_be_reached_is_and_nothing_else(stack: str, overrides: tuple[str, ...]) -> None:
    graph = evaluated(stack, overrides).graph
    assert violations(graph, clients(graph)) == []


@pytest.mark.parametrize(("name", "beyond"), ANYWHERE.items(), ids=ANYWHERE)
def test_only_what_is_needed_is_let_out(name: str, beyond: set[str]) -> None:
    graph = evaluated("stress", NETWORKS[name]).graph
    net = Reachability(graph)
    assert net.let_out(net.balancer) == {("instances", "tcp", range(32768, 65536))}
    assert net.let_out(net.files) == set()
    names = {endpoint.outputs.get("prefixListId"): "S3" for endpoint in graph.of_type(ENDPOINT)}
    out = {(names.get(peer, peer), protocol, ports) for peer, protocol, ports in net.let_out(net.instances)}
    assert out - {("files", "tcp", one_port(2049))} == {(peer, "tcp", one_port(443)) for peer in beyond}
    for endpoint in net.endpoints.values():
        assert net.let_out(endpoint) == set()


def test_given_resolvers_are_reached_and_amazons_needs_no_rule() -> None:
    graph = evaluated("stress", (*GIVEN, "resolver_addresses=10.20.0.9,10.20.1.9")).graph
    net = Reachability(graph)
    dns = {rule for rule in net.let_out(net.instances) if rule[2] == one_port(53)}
    assert dns == {(f"10.20.{i}.9/32", protocol, one_port(53)) for i in (0, 1) for protocol in ("tcp", "udp")}


@pytest.mark.parametrize("overrides", NETWORKS.values(), ids=NETWORKS)
class TestTheTestItself:
    def test_whatever_is_taken_away_is_missed(self, overrides: tuple[str, ...]) -> None:
        graph = evaluated("stress", overrides).graph
        needed = [resource for resource in graph if resource.type in NEEDED]
        assert {INGRESS, EGRESS} <= {resource.type for resource in needed}
        missed = {resource.urn: violations(without(graph, resource.urn), clients(graph)) for resource in needed}
        assert [urn for urn, found in missed.items() if not found] == []

    def test_whatever_is_opened_is_found(self, overrides: tuple[str, ...]) -> None:
        graph = evaluated("stress", overrides).graph
        net = Reachability(graph)
        for part in net.parts:
            (group,) = part.groups
            for more in (
                {"cidrIpv4": "0.0.0.0/0", "fromPort": 22, "toPort": 22},
                {"cidrIpv6": "::/0", "fromPort": 22, "toPort": 22},
                {"referencedSecurityGroupId": "sg-00000000000000000", "fromPort": 443, "toPort": 443},
                {"cidrIpv4": "10.0.0.0/8", "fromPort": 2049, "toPort": 2049},
            ):
                assert violations(opened(graph, INGRESS, securityGroupId=group, **more), clients(graph)), part

    def test_a_narrowed_rule_is_missed(self, overrides: tuple[str, ...]) -> None:
        graph = evaluated("stress", overrides).graph
        for rule in (*graph.of_type(INGRESS), *graph.of_type(EGRESS)):
            shifted = given(graph, rule, toPort=rule.inputs["toPort"] - 1, fromPort=rule.inputs["fromPort"] - 1)
            assert violations(shifted, clients(graph)), rule.urn


def shortened(graph: Graph) -> Iterator[Graph]:
    """The graph, each time with one place less in a list of an endpoint, or without its private name."""
    for endpoint in graph.of_type(ENDPOINT):
        for key in ("routeTableIds", "subnetIds"):
            for place in endpoint.inputs.get(key, ()):
                yield given(graph, endpoint, **{key: [other for other in endpoint.inputs[key] if other != place]})
        if endpoint.inputs["vpcEndpointType"] == "Interface":
            yield given(graph, endpoint, privateDnsEnabled=False)


@pytest.mark.parametrize("name", ["no NAT", "no NAT, dual-stack"])
def test_an_endpoint_that_lacks_a_zone_or_its_name_is_missed(name: str) -> None:
    graph = evaluated("stress", NETWORKS[name]).graph
    altered = list(shortened(graph))
    assert len(altered) == 2 + 12 * 3
    assert all(violations(other, clients(graph)) for other in altered)


def test_a_mount_target_that_lacks_is_missed() -> None:
    graph = evaluated().graph
    for target in graph.of_type("aws:efs/mountTarget:MountTarget"):
        assert violations(without(graph, target.urn), clients(graph))


def test_a_private_subnet_routed_to_the_internet_is_found() -> None:
    graph = evaluated().graph
    gateway = graph.one("aws:ec2/internetGateway:InternetGateway")
    for route in graph.of_type("aws:ec2/route:Route"):
        if "natGatewayId" in route.inputs:
            inputs = {k: v for k, v in route.inputs.items() if k != "natGatewayId"} | {"gatewayId": gateway.id}
            changed = Graph({**graph.resources, route.urn: replace(route, inputs=inputs)})
            assert any("reached from the internet" in text for text in violations(changed, clients(graph)))
