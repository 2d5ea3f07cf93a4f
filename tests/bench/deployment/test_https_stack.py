"""A stack with names and a certificate, run here: no TLS, the rest as it is, and the address it exports is held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.common.failures import UnavailableError
from bench.deployment.engine import Deployment
from bench.deployment.graph import Graph
from bench.deployment.local import check_url
from bench.deployment.local_processes.reconcile import desired_state
from bench.deployment.stack_config import load_stack
from tests.bench.command_line import ROOT, Bench
from tests.evaluation_cache import deployment_of

EVERYTHING = (
    "zone_id=Z0123456789ABCDEFGHIJ",
    "dns_names=pypi,wheels",
    "dns_role_arn=arn:aws:iam::210987654321:role/dns",
    "waf_enabled=true",
)
BALANCER = "aws:lb/loadBalancer:LoadBalancer"
RECORD = "aws:route53/record:Record"


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return deployment_of(load_stack(ROOT, "stress", EVERYTHING)[0])


def test_it_runs_from_one_end_to_the_other(bench: Bench) -> None:
    settings = [argument for setting in EVERYTHING for argument in ("-c", setting)]
    status, _, errors = bench.run(
        *("--packages", "3", "--clients", "12", "--engine", "embedded", *settings),
        *("--threshold", "listing_p95_s=60", "--threshold", "download_p95_s=60"),
    )
    assert status == 0, errors
    report = bench.report()
    assert report["summary"]["requests"] == 36
    assert report["teardown"] == {"complete": True, "leftovers": []}


def test_its_listener_is_the_one_that_forwards(deployment: Deployment) -> None:
    assert desired_state(deployment.graph).balancer.listener_port == 443


def test_the_balancer_is_known_by_its_own_name_and_those_of_its_records(deployment: Deployment) -> None:
    own = deployment.graph.one(BALANCER).outputs["dnsName"]
    names = desired_state(deployment.graph).balancer.host_names
    assert names == {own, "pypi.example.com", "wheels.example.com"}


@pytest.mark.parametrize(
    "url",
    [
        "http://pypi.example.com",
        "https://pypi.example.com:80",
        "https://example.com",
        "https://pypiserver.example.com",
    ],
)
def test_an_address_that_leads_elsewhere_is_refused(deployment: Deployment, url: str) -> None:
    state = desired_state(deployment.graph)
    for good in (*deployment.outputs["urls"], "https://wheels.example.com:443"):
        check_url(good, state)
    with pytest.raises(UnavailableError, match=r"listener is port 443 of .*pypi\.example\.com"):
        check_url(url, state)


def test_a_record_that_leads_elsewhere_is_no_name_of_the_balancer(deployment: Deployment) -> None:
    def elsewhere(inputs: dict[str, Any]) -> dict[str, Any]:
        return {**inputs, "aliases": [{**alias, "name": "other.example.com"} for alias in inputs.get("aliases", ())]}

    graph = Graph(
        {
            urn: replace(resource, inputs=elsewhere(dict(resource.inputs))) if resource.type == RECORD else resource
            for urn, resource in deployment.graph.resources.items()
        }
    )
    with pytest.raises(UnavailableError, match="the stack exports"):
        check_url(deployment.outputs["url"], desired_state(graph))
