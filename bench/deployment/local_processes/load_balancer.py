"""Balancer of the resolved graph: the way of requests to a target group, by names, distribution, listener and rules.

A distribution is not run here. What it would send is read from the graph, and the balancer must take it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from bench.common.failures import UnavailableError
from bench.deployment.graph import Graph, Resource

NO_CLOUDFRONT = (
    "CloudFront is not run: requests reach the balancer as if an edge had passed each of them on, and no edge answers "
    "any, so that the tasks serve every file."
)
_PATH = "/simple/"  # what clients ask for, where a rule goes by paths
# By the balancer's name, Envoy's.
POLICIES = {
    "round_robin": "round_robin",
    "least_outstanding_requests": "least_request",
    "weighted_random": "random",
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
        UnavailableError: the graph describes something that cannot be balanced on this machine, no listener forwards to
            the group, or the one that does would refuse what the distribution sends.
    """
    group = graph.one("aws:lb/targetGroup:TargetGroup", arn=service.inputs["loadBalancers"][0]["targetGroupArn"])
    listener = _forwarding(graph, group)
    balancer = graph.one("aws:lb/loadBalancer:LoadBalancer", arn=listener.inputs["loadBalancerArn"])
    distribution = _in_front(graph, balancer.outputs["dnsName"])
    _check_let_in(graph, listener, group, distribution)
    algorithm = group.inputs.get("loadBalancingAlgorithmType", "round_robin")
    if algorithm not in POLICIES:
        raise UnavailableError(f"load balancing algorithm {algorithm!r} is not one of {', '.join(POLICIES)}")
    stickiness = group.inputs.get("stickiness", {})
    check = group.inputs.get("healthCheck", {})
    first, _, last = str(check.get("matcher", "200")).partition("-")
    return BalancerSpec(
        dns_name=balancer.outputs["dnsName"],
        host_names=_host_names(graph, balancer, distribution),
        listener_port=listener.inputs["port"],
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
        idle_timeout_s=balancer.inputs.get("idleTimeout", 60),
        deregistration_delay_s=group.inputs.get("deregistrationDelay", 300),
        behind_cloudfront=distribution is not None,
    )


def _forwarding(graph: Graph, group: Resource) -> Resource:
    """The listener that forwards to it, by itself or by a rule."""
    arn = group.outputs["arn"]
    for listener in graph.of_type("aws:lb/listener:Listener"):
        actions = [*listener.inputs["defaultActions"]]
        for rule in _rules(graph, listener):
            actions += rule.inputs["actions"]
        if any(action.get("targetGroupArn") == arn for action in actions):
            return listener
    raise UnavailableError(f"no listener forwards to target group {group.name}")


def _rules(graph: Graph, listener: Resource) -> list[Resource]:
    """In the order in which the balancer looks at them."""
    rules = graph.of_type("aws:lb/listenerRule:ListenerRule")
    ours = [rule for rule in rules if rule.inputs["listenerArn"] == listener.outputs["arn"]]
    return sorted(ours, key=lambda rule: int(rule.inputs["priority"]))


def _in_front(graph: Graph, dns_name: str) -> Resource | None:
    return next(
        (
            distribution
            for distribution in graph.of_type("aws:cloudfront/distribution:Distribution")
            if any(origin["domainName"] == dns_name for origin in distribution.inputs["origins"])
        ),
        None,
    )


def _check_let_in(graph: Graph, listener: Resource, group: Resource, distribution: Resource | None) -> None:
    """Whether what comes the way that the names lead gets to the target group."""
    origins = distribution.inputs["origins"] if distribution is not None else ()
    # Of neither names nor values does the balancer look at the case.
    sent = {(h["name"].lower(), h["value"].lower()) for origin in origins for h in origin.get("customHeaders", ())}
    matching = (rule for rule in _rules(graph, listener) if all(_met(c, sent) for c in rule.inputs["conditions"]))
    rule = next(matching, None)
    actions = listener.inputs["defaultActions"] if rule is None else rule.inputs["actions"]
    if actions[0].get("targetGroupArn") == group.outputs["arn"]:
        return
    sender = "clients send" if distribution is None else "a distribution sends"
    by = "by itself" if rule is None else f"by its rule {rule.name}"
    raise UnavailableError(f"the balancer would refuse every request: {by} it does not forward what {sender}")


def _met(condition: dict[str, Any], sent: set[tuple[str, str]]) -> bool:
    """Whether requests for an index meet it; no other conditions are known here."""
    if "pathPattern" in condition:
        return any(fnmatchcase(_PATH, pattern) for pattern in condition["pathPattern"]["values"])
    header = condition.get("httpHeader", {})
    return bool(sent & {(header["httpHeaderName"].lower(), value.lower()) for value in header.get("values", ())})


def _host_names(graph: Graph, balancer: Resource, distribution: Resource | None) -> frozenset[str]:
    own = balancer.outputs["dnsName"] if distribution is None else distribution.outputs["domainName"]
    aliases = {
        record.outputs["fqdn"]
        for record in graph.of_type("aws:route53/record:Record")
        if any(alias["name"] == own for alias in record.inputs.get("aliases", ()))
    }
    if distribution is None:
        return frozenset([own, *aliases])
    # It answers to its aliases alone; its own name is none that the balancer's certificate stands for.
    return frozenset(aliases.intersection(distribution.inputs.get("aliases", ())))
