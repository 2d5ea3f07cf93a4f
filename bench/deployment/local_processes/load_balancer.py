"""An Application Load Balancer as Envoy: what the graph says of a listener and its target group, in its terms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.common.failures import UnavailableError
from bench.deployment.graph import Graph, Resource
from bench.deployment.local_processes.ingress import read_ingress

CLUSTER = "targets"
_TYPE = "type.googleapis.com/envoy"
_POLICIES = {
    "round_robin": ("round_robin", "RoundRobin", {}),
    # The balancer looks at all targets; Envoy's default would look at two drawn by chance.
    "least_outstanding_requests": ("least_request", "LeastRequest", {"selection_method": "FULL_SCAN"}),
    "weighted_random": ("random", "Random", {}),
}
_NO_LIMIT = 1_000_000  # the balancer has none that a burst meets; Envoy's default is 1024


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
    """The longest that a target which is taken out may take for the requests under ingress."""
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


def envoy_config(spec: BalancerSpec, targets_path: Path) -> dict[str, Any]:
    """Envoy's bootstrap configuration.

    Args:
        targets_path: the file of `target_assignment`, read again whenever another is moved onto it.
    """
    return {
        "node": {"id": "balancer", "cluster": "local"},  # Envoy takes no targets from a file without both
        "admin": {"address": _address(0)},
        "static_resources": {
            "listeners": [
                {
                    "name": "listener",
                    "address": _address(0),
                    "filter_chains": [{"filters": [_connection_manager(spec)]}],
                }
            ],
            "clusters": [_cluster(spec, targets_path)],
        },
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _connection_manager(spec: BalancerSpec) -> dict[str, Any]:
    router = _extension("envoy.filters.http.router", "extensions.filters.http.router.v3.Router", {})
    return _extension(
        "envoy.filters.network.http_connection_manager",
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        {
            "stat_prefix": "listener",
            "use_remote_address": True,  # the balancer appends the client's address to X-Forwarded-For
            "stream_idle_timeout": f"{spec.idle_timeout_s}s",
            # An Application Load Balancer takes HTTP/1.0, and gives such a request its own name where it has no Host.
            "http_protocol_options": {"accept_http_10": True, "default_host_for_http_10": spec.dns_name},
            "http_filters": [*_sticky_filters(spec), router],
            "route_config": {
                "virtual_hosts": [
                    {
                        "name": "all",
                        "domains": ["*"],
                        "routes": [{"match": {"prefix": "/"}, "route": {"cluster": CLUSTER, "timeout": "0s"}}],
                    }
                ]
            },
        },
    )


def _sticky_filters(spec: BalancerSpec) -> list[dict[str, Any]]:
    if spec.stickiness_s is None:
        return []
    state = _extension(
        "envoy.http.stateful_session.cookie",
        "extensions.http.stateful_session.cookie.v3.CookieBasedSessionState",
        {"cookie": {"name": "AWSALB", "path": "/", "ttl": f"{spec.stickiness_s}s"}},
    )
    return [
        _extension(
            "envoy.filters.http.stateful_session",
            "extensions.filters.http.stateful_session.v3.StatefulSession",
            {"session_state": state},
        )
    ]


def target_assignment(serving: Iterable[int], draining: Iterable[int]) -> dict[str, Any]:
    """The ports of the targets, in the form that Envoy reads while it runs. A draining one gets no new request."""
    endpoints = [
        {"endpoint": {"address": _address(port)}, "health_status": status}
        for ports, status in ((serving, "HEALTHY"), (draining, "DRAINING"))
        for port in ports
    ]
    assignment = {
        "@type": f"{_TYPE}.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": CLUSTER,
        "endpoints": [{"lb_endpoints": endpoints}],
    }
    return {"resources": [assignment]}


def _cluster(spec: BalancerSpec, targets_path: Path) -> dict[str, Any]:
    policy, message, options = _POLICIES[spec.algorithm]
    check = spec.health_check
    return {
        "name": CLUSTER,
        "type": "EDS",
        "eds_cluster_config": {
            "eds_config": {
                "path_config_source": {
                    "path": str(targets_path),
                    "watched_directory": {"path": str(targets_path.parent)},
                }
            }
        },
        # A target that is taken out is gone at once, well or not.
        "ignore_health_on_host_removal": True,
        "connect_timeout": "5s",
        "load_balancing_policy": {
            "policies": [
                {
                    "typed_extension_config": _extension(
                        f"envoy.load_balancing_policies.{policy}",
                        f"extensions.load_balancing_policies.{policy}.v3.{message}",
                        options,
                    )
                }
            ]
        },
        # With no healthy target an Application Load Balancer routes to all of them; Envoy does so below half.
        # What the health check and the file say holds at once; Envoy would gather changes for a second.
        "common_lb_config": {"healthy_panic_threshold": {"value": 0.1}, "update_merge_window": "0s"},
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": _NO_LIMIT,
                    "max_pending_requests": _NO_LIMIT,
                    "max_requests": _NO_LIMIT,
                    "max_retries": 0,
                }
            ]
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{_TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": {"idle_timeout": f"{spec.idle_timeout_s}s"},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
        "health_checks": [
            {
                "timeout": f"{check.timeout_s}s",
                "interval": f"{check.interval_s}s",
                "no_traffic_interval": f"{check.interval_s}s",
                "healthy_threshold": check.healthy_threshold,
                "unhealthy_threshold": check.unhealthy_threshold,
                "http_health_check": {
                    "path": check.path,
                    "expected_statuses": [{"start": check.statuses[0], "end": check.statuses[1] + 1}],
                },
            }
        ],
    }


def _extension(name: str, message: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": f"{_TYPE}.{message}", **fields}}
