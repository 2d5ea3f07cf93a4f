"""nginx with the bytes of an index: what it serves, to whom, and that it goes."""

from __future__ import annotations

import asyncio
import base64
import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bench.common.run_mark import RUN_VARIABLE
from bench.deployment.local_processes.load_balancer import BalancerSpec, HealthCheck
from bench.deployment.local_processes.reconcile import DesiredState
from bench.deployment.local_processes.task_definition import InstanceSpec, TaskSpec
from bench.deployment.reference.nginx import NginxProcesses, write_site
from bench.index.publish import publish
from bench.index.target import Target
from bench.packages.factory import PackageSet, Wheel, build
from tests.bench.conftest import ServedIndex

STATE = DesiredState(
    task=TaskSpec(
        image="",
        entry_point=(),
        command=(),
        environment={},
        container_port=8080,
        memory_mb=512,
        cpu_units=640,
        stop_timeout_s=30,
        mounts={},
        files={},
    ),
    instance=InstanceSpec("c6a.xlarge", 4, 2),
    task_count=12,
    task_max_count=24,
    balancer=BalancerSpec(
        dns_name="balancer",
        host_names=frozenset(["balancer"]),
        listener_port=80,
        algorithm="round_robin",
        stickiness_s=None,
        health_check=HealthCheck(
            "/health", (200, 200), interval_s=5, timeout_s=2, healthy_threshold=2, unhealthy_threshold=2
        ),
        idle_timeout_s=60,
        deregistration_delay_s=30,
    ),
)


@dataclass(frozen=True)
class Beside:
    """An index, and nginx with its bytes."""

    index: Target
    static: NginxProcesses
    wheels: tuple[Wheel, ...]


@pytest.fixture
def beside(
    pypi_server: ServedIndex, tmp_path: Path, wheel_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Beside]:
    monkeypatch.setenv(RUN_VARIABLE, "a test")
    wheels = build(PackageSet(packages=2, max_bytes=50_000), wheel_cache)
    publish(pypi_server.url, pypi_server.username, pypi_server.password, wheels)
    index = Target(pypi_server.url, pypi_server.username, pypi_server.password)
    folder = tmp_path / "limit"
    folder.mkdir()
    asyncio.run(write_site(folder / "site", index, wheels))
    static = NginxProcesses(STATE, folder, 2, folder / "site")
    static.start()
    yield Beside(index, static, wheels)
    static.stop()


@dataclass(frozen=True)
class NginxAnswer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes


def ask(url: str, path: str, username: str = "uploader", password: str = "s3cret") -> NginxAnswer:
    connection = http.client.HTTPConnection(Target(url).host, Target(url).port, timeout=10)
    headers = {"Authorization": f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"}
    connection.request("GET", path, headers=headers if username else {})
    answer = connection.getresponse()
    try:
        return NginxAnswer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def test_listings_and_wheels_are_those_of_the_index(beside: Beside) -> None:
    paths = ["/simple/test-package-000/", "/simple/test-package-001/"]
    paths += [f"/packages/{wheel.filename}" for wheel in beside.wheels]
    for path in paths:
        real, static = ask(beside.index.url, path), ask(beside.static.url, path)
        assert (static.status, static.body) == (real.status, real.body) == (200, real.body)
    assert {ask(beside.static.url, path).body for path in paths[2:]} == {w.path.read_bytes() for w in beside.wheels}
    assert ask(beside.static.url, paths[0]).headers["Content-Type"] == "text/html; charset=utf-8"


def test_a_name_is_redirected_to_its_listing(beside: Beside) -> None:
    real, static = (ask(url, "/test-package-001/") for url in (beside.index.url, beside.static.url))

    assert static.status == real.status == 303
    assert static.headers["Location"] == "/simple/test-package-001/"
    assert real.headers["Location"].endswith("/simple/test-package-001/")


@pytest.mark.parametrize(("username", "password"), [("", ""), ("uploader", "wrong"), ("nobody", "s3cret")])
def test_it_takes_nobody_elses_credentials(beside: Beside, username: str, password: str) -> None:
    for path in ("/simple/test-package-000/", f"/packages/{beside.wheels[0].filename}"):
        answer = ask(beside.static.url, path, username, password)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_the_load_is_spread_over_as_many_as_there_are_tasks(beside: Beside) -> None:
    answers = [ask(beside.static.url, "/simple/test-package-000/") for _ in range(10)]

    assert {answer.headers["X-Served-By"] for answer in answers} == {"nginx-1", "nginx-2"}
    ports = {task.port for task in beside.static.tasks}
    assert beside.static.balancer.requests_by_port() == dict.fromkeys(ports, 5)


def test_what_is_not_there_is_not_found(beside: Beside) -> None:
    assert ask(beside.static.url, "/simple/nothing/").status == 404
    assert ask(beside.static.url, "/packages/nothing.whl").status == 404
    assert ask(beside.static.url, "/htpasswd").status == 404
    assert ask(beside.static.url, "/../htpasswd").status in (400, 404)


def test_stopped_it_is_gone(beside: Beside) -> None:
    children = [task.child for task in beside.static.tasks]
    beside.static.stop()

    assert all(child.exit_status == 0 for child in children)
    assert beside.static.ended() == []


def test_whose_processes_they_are_can_be_told_from_outside(beside: Beside) -> None:
    """nginx likes to write over its environment, by which what a killed run has left is found."""
    for task in beside.static.tasks:
        process = psutil.Process(task.child.pid)
        assert process.children() == []
        assert process.environ()[RUN_VARIABLE] == "a test"


def test_passwords_stand_nowhere_in_clear(beside: Beside, tmp_path: Path) -> None:
    written = [path for path in (tmp_path / "limit").rglob("*") if path.is_file() and path.suffix != ".whl"]

    assert len(written) > 5
    assert not any(b"s3cret" in path.read_bytes() for path in written)
    assert (tmp_path / "limit" / "site" / "htpasswd").stat().st_mode & 0o777 == 0o600
