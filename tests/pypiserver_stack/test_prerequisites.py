"""Every resource waits for what AWS needs it to wait for; with every option on it is among the invariants."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.deployment.graph import Graph
from tests.pypiserver_stack.support.evaluation import evaluated
from tests.pypiserver_stack.support.every_option import EVALUATIONS
from tests.pypiserver_stack.support.prerequisites import PREREQUISITES, Prerequisite, missing

PUBLIC = ("balancer_scheme=internet-facing", "zone_id=Z0123456789ABCDEFGHIJ", "allow_http=false")
CLOUDFRONT = (*PUBLIC, "cloudfront_enabled=true", "removal_enabled=false")
WITHOUT_NAT = ("nat_gateways=none", "image=123456789012.dkr.ecr.us-west-2.amazonaws.com/pypiserver:v2.4.2")
PUBLIC_NETWORKS = {
    "a NAT gateway in each zone": (*PUBLIC, "nat_gateways=one_per_zone", "ipv6_enabled=true"),
    "no NAT gateway": (*PUBLIC, *WITHOUT_NAT),
    "CloudFront and no NAT gateway": (*CLOUDFRONT, *WITHOUT_NAT, "ipv6_enabled=true"),
    "CloudFront in given subnets": (
        *CLOUDFRONT,
        "instance_subnet_ids=subnet-0123456789abcde00,subnet-0123456789abcde01",
        "balancer_subnet_ids=subnet-0123456789abcde30,subnet-0123456789abcde31",
    ),
}
WITH_EVERY_TYPE = ("HTTPS and a zone", "CloudFront", "three zones without NAT", "watching", "scaling")


@pytest.mark.parametrize("name", PUBLIC_NETWORKS)
def test_a_public_balancer_waits_for_the_way_to_it(name: str) -> None:
    graph = evaluated("stress", PUBLIC_NETWORKS[name]).graph
    assert graph.one("aws:lb/loadBalancer:LoadBalancer").inputs["internal"] is False
    assert missing(graph) == []


@pytest.mark.parametrize("row", PREREQUISITES, ids=lambda row: row.type)
def test_a_dependency_that_is_taken_away_is_missed(row: Prerequisite) -> None:
    graphs = (evaluated(*EVALUATIONS[name]).graph for name in WITH_EVERY_TYPE)
    graph = next(graph for graph in graphs if any(list(row.needs(one, graph)) for one in graph.of_type(row.type)))
    spoiled = {
        urn: replace(resource, dependencies=(), parent="") if resource.type == row.type else resource
        for urn, resource in graph.resources.items()
    }
    assert any(row.source in sentence and row.type in sentence for sentence in missing(Graph(spoiled)))
