"""An Application Load Balancer as Envoy: what the graph says of a listener and its target group, in its terms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from bench.common.failures import UnavailableError
from bench.deployment.graph import Graph, Resource
from bench.deployment.local_processes.ingress import read_ingress

CLUSTER = "targets"
_CONFIGURATION: jinja2.Template = jinja2.Template(
    Path(__file__).with_name("envoy.yaml.j2").read_text("utf-8"), undefined=jinja2.StrictUndefined, trim_blocks=True
)
_POLICIES = {
    "round_robin": ("round_robin", "RoundRobin"),
    "least_outstanding_requests": ("least_request", "LeastRequest"),
    "weighted_random": ("random", "Random"),
}


@dataclass(frozen=True)
class HealthCheck:
    """Health check of a target."""

    path: str
    statuses: tuple[int, int]
    """First and last status that counts as healthy."""
    interval_s: int
    timeout_s: int
    healthy_threshold: int
    unhealthy_threshold: int


@dataclass(frozen=True)
class BalancerSpec:
    """A listener and its target group, as the graph describes them."""

    dns_name: str
    """The balancer's own name."""
    host_names: frozenset[str]
    """The balancer's own name and those of the records that are aliases of it; or of the distribution before it."""
    listener_port: int
    algorithm: str
    stickiness_s: int | None
    """How long the balancer's cookie binds a client to a target; None where it does not."""
    health_check: HealthCheck
    idle_timeout_s: int
    deregistration_delay_s: int
    """The longest that a target which is taken out may take for the requests under way."""
    behind_cloudfront: bool = False
    """Whether a distribution stands before it, which is not run."""


def read_balancer(graph: Graph, service: Resource) -> BalancerSpec:
    """The listener that forwards to the service's target group, and that target group.

    Raises:
        UnavailableError: the graph describes something that cannot be balanced on this machine.
    """
    group = graph.one("aws:lb/targetGroup:TargetGroup", arn=service.inputs["loadBalancers"][0]["targetGroupArn"])
    ingress = read_ingress(graph, group)
    algorithm = group.inputs.get("loadBalancingAlgorithmType", "round_robin")
    if algorithm not in _POLICIES:
        raise UnavailableError(f"load balancing algorithm {algorithm!r} is not one of {', '.join(_POLICIES)}")
    stickiness = group.inputs.get("stickiness", {})
    check = group.inputs.get("healthCheck", {})
    first, _, last = str(check.get("matcher", "200")).partition("-")
    return BalancerSpec(
        dns_name=ingress.balancer.outputs["dnsName"],
        host_names=ingress.host_names,
        listener_port=ingress.listener.inputs["port"],
        algorithm=algorithm,
        stickiness_s=stickiness.get("cookieDuration", 86400) if stickiness.get("enabled") else None,
        health_check=HealthCheck(
            path=check.get("path", "/"),
            statuses=(int(first), int(last or first)),
            interval_s=check.get("interval", 30),
            timeout_s=check.get("timeout", 5),
            healthy_threshold=check.get("healthyThreshold", 3),
            unhealthy_threshold=check.get("unhealthyThreshold", 3),
        ),
        idle_timeout_s=ingress.balancer.inputs.get("idleTimeout", 60),
        deregistration_delay_s=group.inputs.get("deregistrationDelay", 300),
        behind_cloudfront=ingress.distribution is not None,
    )


def envoy_config(spec: BalancerSpec, targets_path: Path) -> str:
    """Envoy's bootstrap configuration, in YAML.

    Args:
        targets_path: the file of `target_assignment`, read again whenever another is moved onto it.
    """
    policy, message = _POLICIES[spec.algorithm]
    return _CONFIGURATION.render(spec=spec, targets_path=targets_path, cluster=CLUSTER, policy=policy, message=message)


def target_assignment(serving: Iterable[int], draining: Iterable[int]) -> dict[str, Any]:
    """The ports of the targets, in the form that Envoy reads while it runs. A draining one gets no new request."""
    endpoints = [
        {
            "endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}},
            "health_status": status,
        }
        for ports, status in ((serving, "HEALTHY"), (draining, "DRAINING"))
        for port in ports
    ]
    assignment = {
        "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": CLUSTER,
        "endpoints": [{"lb_endpoints": endpoints}],
    }
    return {"resources": [assignment]}
