"""What the local balancer takes from clients that speak as an Application Load Balancer's clients may."""

from __future__ import annotations

import socket
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from bench.common.failures import UnavailableError
from bench.deployment.local_processes import local_http
from bench.deployment.local_processes.balancer import Balancer, start_balancer
from bench.deployment.local_processes.load_balancer import BalancerSpec, HealthCheck
from bench.deployment.local_processes.processes import stop
from tests.bench.deployment.local_processes.stacks import eventually


class TargetHandler(BaseHTTPRequestHandler):
    """Answers with what it was asked: protocol, path and Host; or as the path says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/break":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = f"{self.request_version} {self.path} {self.headers['Host']}".encode()
        self.send_response(503 if self.path == "/503" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing."""


SPEC = BalancerSpec(
    dns_name="balancer.elb.amazonaws.com",
    host_names=frozenset(["balancer.elb.amazonaws.com"]),
    listener_port=80,
    algorithm="least_outstanding_requests",
    stickiness_s=None,
    health_check=HealthCheck(
        "/health", (200, 200), interval_s=5, timeout_s=2, healthy_threshold=2, unhealthy_threshold=2
    ),
    idle_timeout_s=60,
    deregistration_delay_s=30,
)


def listens(balancer: Balancer) -> bool:
    try:
        return balancer.url() != ""
    except UnavailableError:
        return False


@pytest.fixture
def balancer(tmp_path: Path) -> Iterator[Balancer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), TargetHandler) as target:
        threading.Thread(target=target.serve_forever, daemon=True).start()
        balancer = start_balancer(SPEC, tmp_path)
        try:
            eventually(lambda: listens(balancer))
            balancer.set_targets([target.server_port])
            # Its admin interface knows of the target a moment before the thread that serves does.
            address = balancer.url().removeprefix("http://")
            eventually(lambda: local_http.send("GET", address, "/health", timeout_s=20).status == 200)
            yield balancer
        finally:
            stop([balancer.child], patience_s=0)
            target.shutdown()


@pytest.mark.parametrize("headers", [b"", b"Host: index.example.com\r\n"])
def test_a_client_of_http_1_0_is_answered_with_or_without_a_host(balancer: Balancer, headers: bytes) -> None:
    host, _, port = balancer.url().removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as client:
        client.sendall(b"GET /health HTTP/1.0\r\n" + headers + b"\r\n")
        answer = b""
        while data := client.recv(65536):  # to the end of the connection, which ends an answer of HTTP/1.0
            answer += data

    status, _, rest = answer.partition(b"\r\n")
    assert status.split()[1] == b"200", answer
    expected_host = "index.example.com" if headers else SPEC.dns_name
    assert rest.endswith(f"HTTP/1.1 /health {expected_host}".encode())


def test_its_admin_interface_is_for_its_owner_alone(balancer: Balancer) -> None:
    """Whoever reaches it can end the balancer."""
    assert stat.S_IMODE(balancer.admin_socket_path.stat().st_mode) == 0o600
    listening = psutil.Process(balancer.child.pid).net_connections("tcp")
    ports = {connection.laddr.port for connection in listening if connection.status == psutil.CONN_LISTEN}
    assert ports == {int(balancer.url().rpartition(":")[2])}


def test_it_is_reached_however_long_the_path_of_its_folder(tmp_path: Path) -> None:
    balancer = start_balancer(SPEC, tmp_path / ("long" * 30))
    try:
        eventually(lambda: listens(balancer))
    finally:
        stop([balancer.child], patience_s=0)


def test_an_error_of_a_target_is_told_from_one_of_the_balancer(balancer: Balancer) -> None:
    address = balancer.url().removeprefix("http://")
    before = balancer.counters()
    for path in ("/health", "/503", "/503", "/break", "/break", "/break"):
        local_http.send("GET", address, path, timeout_s=20)
    after = balancer.counters()

    assert after.requests - before.requests == 6
    assert after.target_5xx - before.target_5xx == 2
    assert after.own_5xx - before.own_5xx == 3
    assert after.rejected_connections == 0


def test_a_target_that_takes_no_connection_is_an_error_of_the_balancer(balancer: Balancer, tmp_path: Path) -> None:
    address = balancer.url().removeprefix("http://")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    balancer.set_targets([port])
    eventually(lambda: set(balancer.targets()) == {port})
    eventually(lambda: local_http.send("GET", address, "/", timeout_s=20).status == 503)

    counters = balancer.counters()
    assert counters.own_5xx > 0
    assert counters.target_5xx == 0
