"""How requests get to a target group: the names that lead there, a distribution, the balancer's listener and its rule.

A distribution is not run here. What it would send is read from the graph, and the balancer must take it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.failures import UnavailableError
from bench.graph import Graph, Resource

NO_CLOUDFRONT = (
    "CloudFront is not run: requests reach the balancer as if an edge had passed each of them on, and no edge answers "
    "any, so that the tasks serve every file."
)


@dataclass(frozen=True)
class WayIn:
    """What lies before a target group."""

    balancer: Resource
    listener: Resource
    distribution: Resource | None
    host_names: frozenset[str]
    """The balancer's own name and those of the records that are aliases of it; those of the distribution's, if any."""


def way_in(graph: Graph, group: Resource) -> WayIn:
    """What the graph has before a target group.

    Raises:
        UnavailableError: no listener forwards to it, or the one that does would refuse what the distribution sends.
    """
    listener, rule = _forwarding(graph, group)
    balancer = graph.one("aws:lb/loadBalancer:LoadBalancer", arn=listener.inputs["loadBalancerArn"])
    distribution = _in_front(graph, balancer.outputs["dnsName"])
    if rule is not None:
        _check_passed_on(rule, distribution)
    return WayIn(balancer, listener, distribution, _host_names(graph, balancer, distribution))


def _forwarding(graph: Graph, group: Resource) -> tuple[Resource, Resource | None]:
    """The listener, and its rule where it does not forward by itself."""
    arn = group.outputs["arn"]
    listeners = graph.of_type("aws:lb/listener:Listener")
    for listener in listeners:
        if listener.inputs["defaultActions"][0].get("targetGroupArn") == arn:
            return listener, None
    for rule in graph.of_type("aws:lb/listenerRule:ListenerRule"):
        if rule.inputs["actions"][0].get("targetGroupArn") == arn:
            return graph.one("aws:lb/listener:Listener", arn=rule.inputs["listenerArn"]), rule
    raise UnavailableError(f"no listener forwards to target group {group.name}")


def _in_front(graph: Graph, dns_name: str) -> Resource | None:
    return next(
        (
            distribution
            for distribution in graph.of_type("aws:cloudfront/distribution:Distribution")
            if any(origin["domainName"] == dns_name for origin in distribution.inputs["origins"])
        ),
        None,
    )


def _check_passed_on(rule: Resource, distribution: Resource | None) -> None:
    origins = distribution.inputs["origins"] if distribution is not None else ()
    # Of neither names nor values does the balancer look at the case.
    sent = {(h["name"].lower(), h["value"].lower()) for origin in origins for h in origin.get("customHeaders", ())}
    if not all(sent & _taken(condition) for condition in rule.inputs["conditions"]):
        raise UnavailableError(
            f"the balancer would refuse every request: what its rule {rule.name} takes is not what a distribution sends"
        )


def _taken(condition: dict[str, Any]) -> set[tuple[str, str]]:
    header = condition.get("httpHeader", {})
    return {(header["httpHeaderName"].lower(), value.lower()) for value in header.get("values", ())}


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
