"""A stack behind CloudFront, run here: no edge is, the report says so, and the balancer must take what one sends."""

from __future__ import annotations

from collections.abc import Callable
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

SETTINGS = (
    "zone_id=Z0123456789ABCDEFGHIJ",
    "dns_names=pypi,wheels",
    "balancer_scheme=internet-facing",
    "removal_enabled=false",
    "cloudfront_enabled=true",
    "waf_enabled=true",
)
DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
RULE = "aws:lb/listenerRule:ListenerRule"


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return deployment_of(load_stack(ROOT, "stress", SETTINGS)[0])


def test_it_runs_from_one_end_to_the_other_and_says_that_no_edge_did(bench: Bench) -> None:
    settings = [argument for setting in SETTINGS for argument in ("-c", setting)]
    status, _, errors = bench.run(
        *("--packages", "3", "--clients", "12", "--engine", "embedded", *settings),
        *("--threshold", "listing_p95_s=60", "--threshold", "download_p95_s=60"),
    )
    assert status == 0, errors
    report = bench.report()
    assert report["summary"]["requests"] == 36
    assert [line for line in report["local"]["differences"] if line.startswith("CloudFront is not run")]


def test_its_names_are_those_of_the_distribution(deployment: Deployment) -> None:
    state = desired_state(deployment.graph)
    assert state.balancer.behind_cloudfront
    assert state.balancer.host_names == {"pypi.example.com", "wheels.example.com"}
    assert state.balancer.listener_port == 443
    for url in deployment.outputs["urls"]:
        check_url(url, state)
    with pytest.raises(UnavailableError, match="the stack exports"):
        check_url(f"https://{deployment.outputs['load_balancer_dns_name']}", state)


def changed(graph: Graph, type_: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Graph:
    # Of the rules the first, which is named like the stack.
    (resource,) = (one for one in graph.of_type(type_) if one.type != RULE or one.name == "pypiserver")
    return Graph({**graph.resources, resource.urn: replace(resource, inputs=change(dict(resource.inputs)))})


def another_value(inputs: dict[str, Any]) -> dict[str, Any]:
    (origin,) = inputs["origins"]
    (header,) = origin["customHeaders"]
    return {**inputs, "origins": [{**origin, "customHeaders": [{**header, "value": "guessed"}]}]}


def another_origin(inputs: dict[str, Any]) -> dict[str, Any]:
    (origin,) = inputs["origins"]
    return {**inputs, "origins": [{**origin, "domainName": "elsewhere.example.com"}]}


def another_header(inputs: dict[str, Any]) -> dict[str, Any]:
    (condition,) = inputs["conditions"]
    return {**inputs, "conditions": [{"httpHeader": {**condition["httpHeader"], "httpHeaderName": "X-Other"}}]}


def another_order(inputs: dict[str, Any]) -> dict[str, Any]:
    return {**inputs, "priority": 50_001}


@pytest.mark.parametrize(
    ("type_", "change"),
    [
        (DISTRIBUTION, another_value),
        (DISTRIBUTION, another_origin),
        (RULE, another_header),
        (RULE, another_order),
    ],
)
def test_a_balancer_that_would_refuse_what_an_edge_sends_is_not_run(
    deployment: Deployment, type_: str, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    with pytest.raises(UnavailableError, match="would refuse every request: by its rule pypiserver-others"):
        desired_state(changed(deployment.graph, type_, change))


def test_a_name_that_the_distribution_does_not_answer_to_is_none(deployment: Deployment) -> None:
    fewer = changed(deployment.graph, DISTRIBUTION, lambda inputs: {**inputs, "aliases": ["wheels.example.com"]})
    assert desired_state(fewer).balancer.host_names == {"wheels.example.com"}
