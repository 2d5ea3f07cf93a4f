"""The graph decides what runs: one argument is altered at a time, settings untouched, and the processes follow."""

from __future__ import annotations

import base64
import http.client
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import bcrypt
import psutil
import pytest
import yaml

from bench.common.failures import UnavailableError
from bench.deployment.engine import Deployment, StackConfig
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.graph import Graph
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.local_processes import balancer, reconcile
from bench.deployment.local_processes.balancer import envoy_config
from bench.deployment.local_processes.local_command import localise
from bench.deployment.local_processes.reconcile import LocalStack, desired_state
from bench.deployment.local_processes.tasks import prepare_host
from bench.deployment.observe.local import observed
from bench.deployment.observe.task_processes import TaskProcesses
from bench.deployment.stack_config import load_stack
from pypiserver_stack.tasks.server_files import packed
from tests.bench.deployment.local_processes.stacks import (
    ROOT,
    TARGET_GROUP,
    Change,
    altered,
    eventually,
    one_task,
    running,
    two_tasks,
    with_container,
)
from tests.evaluation_cache import deployment_of


def get(stack: LocalStack, password: str, path: str = "/simple/", cookie: str = "") -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection(stack.url.removeprefix("http://"), timeout=30)
    credentials = base64.b64encode(f"pypiserver:{password}".encode()).decode()
    connection.request("GET", path, headers={"Authorization": f"Basic {credentials}", "Cookie": cookie})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


def upload(stack: LocalStack, password: str) -> int:
    boundary, credentials = "b0undary", base64.b64encode(f"pypiserver:{password}".encode()).decode()
    parts = {'name=":action"': "file_upload", 'name="content"; filename="thing-1.0-py3-none-any.whl"': "content"}
    form = "".join(f"--{boundary}\r\nContent-Disposition: form-data; {k}\r\n\r\n{v}\r\n" for k, v in parts.items())
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": f"multipart/form-data; boundary={boundary}"}
    connection = http.client.HTTPConnection(stack.url.removeprefix("http://"), timeout=30)
    connection.request("POST", "/", f"{form}--{boundary}--\r\n", headers)
    status = connection.getresponse().status
    connection.close()
    return status


def served_by(stack: LocalStack, deployment: Deployment, requests: int, cookie: str = "") -> list[str]:
    password = deployment.outputs["password"]
    return [get(stack, password, cookie=cookie)[1]["x-served-by"] for _ in range(requests)]


def test_count(deployment: Deployment, tmp_path: Path) -> None:
    with running(deployment.graph, tmp_path) as stack:
        assert len(stack.tasks) == 1
    with running(two_tasks(deployment.graph), tmp_path / "two") as stack:
        assert sorted(set(served_by(stack, deployment, 12))) == ["task-1", "task-2"]
        pids = [task.child.pid for task in stack.tasks]
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_command(deployment: Deployment, tmp_path: Path) -> None:
    graph = with_container(deployment.graph, lambda c: c["command"].insert(1, "--max-requests=4321"))
    with running(graph, tmp_path) as stack:
        assert "--max-requests=4321" in psutil.Process(stack.tasks[0].child.pid).cmdline()


def test_environment(deployment: Deployment, tmp_path: Path) -> None:
    def three_workers(container: dict[str, Any]) -> None:
        (workers,) = (e for e in container["environment"] if e["name"] == "GUNICORN_WORKERS")
        workers["value"] = "3"

    with running(with_container(deployment.graph, three_workers), tmp_path) as stack:
        master = psutil.Process(stack.tasks[0].child.pid)
        # The first worker answers the health check while the last is being forked.
        eventually(lambda: len(master.children()) == 3)


def test_a_task_inherits_nothing_of_ours(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ours")
    with running(deployment.graph, tmp_path) as stack:
        assert "AWS_SECRET_ACCESS_KEY" not in psutil.Process(stack.tasks[0].child.pid).environ()


def test_secret(deployment: Deployment, tmp_path: Path) -> None:
    value = {"username": "pypiserver", "password": "another", "accepted_passwords": ["another"]}
    graph = altered(
        deployment.graph,
        "aws:secretsmanager/secretVersion:SecretVersion",
        lambda inputs: inputs.update(secretString=json.dumps(value)),
        secretId=deployment.outputs["credentials_secret_arn"],
    )
    with running(graph, tmp_path) as stack:
        assert get(stack, "another")[0] == 200
        assert get(stack, deployment.outputs["password"])[0] in (401, 403)


def test_a_secret_version_that_is_not_there_is_an_error(deployment: Deployment) -> None:
    graph = with_container(
        deployment.graph, lambda c: c["secrets"][0].update(valueFrom=c["secrets"][0]["valueFrom"] + "0")
    )
    with pytest.raises(UnavailableError, match="no secret version"):
        desired_state(graph)


def test_memory(deployment: Deployment, tmp_path: Path) -> None:
    with running(with_container(deployment.graph, lambda c: c.update(memory=77)), tmp_path) as stack:
        (task,) = stack.tasks
        assert task.memory_mb == 77
        # A worker and its master import a web server: more than 10 MB, and less than this machine has.
        assert 10 < TaskProcesses(task.child.pid).memory_mb() < 1000


def test_stickiness(deployment: Deployment, tmp_path: Path) -> None:
    graph = two_tasks(deployment.graph)
    with running(graph, tmp_path / "off") as stack:
        assert "set-cookie" not in get(stack, deployment.outputs["password"])[1]
    sticky = altered(graph, TARGET_GROUP, lambda inputs: inputs["stickiness"].update(enabled=True))
    with running(sticky, tmp_path / "on") as stack:
        cookie = get(stack, deployment.outputs["password"])[1]["set-cookie"].split(";")[0]
        assert cookie.startswith("AWSALB=")
        assert len(set(served_by(stack, deployment, 12, cookie))) == 1
        assert len(set(served_by(stack, deployment, 12))) == 2


def test_algorithm(deployment: Deployment, tmp_path: Path) -> None:
    def with_algorithm(name: str) -> Graph:
        return altered(
            two_tasks(deployment.graph), TARGET_GROUP, lambda inputs: inputs.update(loadBalancingAlgorithmType=name)
        )

    with running(with_algorithm("round_robin"), tmp_path / "rr") as stack:
        in_turn = served_by(stack, deployment, 8)
        assert all(one != other for one, other in pairwise(in_turn))
    with running(with_algorithm("least_outstanding_requests"), tmp_path / "lor") as stack:
        assert len(set(served_by(stack, deployment, 24))) == 2
        with unfinished_upload(stack, deployment.outputs["password"]):
            # The task that reads it has one request outstanding, and gets no other while the other task has none.
            eventually(lambda: len(set(served_by(stack, deployment, 20))) == 1)
    with pytest.raises(UnavailableError, match="'fastest'"):
        desired_state(with_algorithm("fastest"))


@contextmanager
def unfinished_upload(stack: LocalStack, password: str) -> Iterator[None]:
    connection = http.client.HTTPConnection(stack.url.removeprefix("http://"), timeout=30)
    connection.putrequest("POST", "/")
    connection.putheader("Authorization", "Basic " + base64.b64encode(f"pypiserver:{password}".encode()).decode())
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", "100000")
    connection.endheaders()
    connection.send(b"--b\r\n")
    yield
    connection.close()


def test_health_check_path(deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconcile, "START_TIMEOUT_S", 3.0)
    graph = altered(deployment.graph, TARGET_GROUP, lambda inputs: inputs["healthCheck"].update(path="/no-such-health"))
    # The server redirects what it does not have. On a busy machine it may not listen yet.
    why = r"GET /no-such-health within 3 s: (status 303, where 200 is healthy|GET http://127\.0\.0\.1:\d+/no-such)"
    with pytest.raises(UnavailableError, match=why), running(graph, tmp_path):
        pass


@pytest.mark.parametrize(
    ("envoy", "why"),
    [
        ("exec sleep 60", "admin.sock: No such file or directory"),
        ("echo no luck; exec sleep 60", "No such file or directory; balancer logged: no luck"),
    ],
)
def test_a_balancer_that_does_not_listen_is_told_with_the_last_error(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, envoy: str, why: str
) -> None:
    executable = tmp_path / "envoy"
    executable.write_text(f"#!/bin/sh\n{envoy}\n")
    executable.chmod(0o700)
    monkeypatch.setattr(balancer, "find_envoy", lambda: executable)
    monkeypatch.setattr(reconcile, "START_TIMEOUT_S", 0.3)
    with (
        pytest.raises(UnavailableError, match=f"does not listen within 0.3 s: .*{why}"),
        running(deployment.graph, tmp_path),
    ):
        pass


def test_the_balancer_checks_health_as_the_target_group_says(deployment: Deployment) -> None:
    check = {"path": "/simple/", "matcher": "200-401", "interval": 7, "timeout": 3, "healthyThreshold": 4}
    graph = altered(deployment.graph, TARGET_GROUP, lambda inputs: inputs.update(healthCheck=check))
    config = yaml.safe_load(envoy_config(desired_state(graph).balancer, Path("targets.json")))
    (cluster,) = config["static_resources"]["clusters"]
    (envoys,) = cluster["health_checks"]
    assert envoys["http_health_check"] == {"path": "/simple/", "expected_statuses": [{"start": 200, "end": 402}]}
    assert (envoys["interval"], envoys["timeout"], envoys["healthy_threshold"]) == ("7s", "3s", 4)


def test_a_memory_limit_that_is_exceeded_is_told(deployment: Deployment, tmp_path: Path) -> None:
    with running(with_container(deployment.graph, lambda c: c.update(memory=5)), tmp_path) as stack:
        with observed(stack, watch_memory=True) as observation:
            pass
        (memory,) = observation.memory
        assert memory.peak_pss_mb > memory.limit_mb == 5
        assert memory.would_be_oom_killed


def test_the_files_of_the_server_come_from_the_task_definition(deployment: Deployment, tmp_path: Path) -> None:
    (tmp_path / "files" / "entry").mkdir(parents=True)
    (tmp_path / "files" / "entry" / "gunicorn_config.py").write_text("raise RuntimeError('this came with the task')")

    def another_server(container: dict[str, Any]) -> None:
        (files,) = (e for e in container["environment"] if e["name"] == "SERVER_FILES")
        files["value"] = packed(tmp_path / "files")

    graph = with_container(deployment.graph, another_server)
    with pytest.raises(UnavailableError, match="this came with the task"), running(graph, tmp_path):
        pass


def test_an_image_is_run_whatever_digest_pins_it(deployment: Deployment) -> None:
    digest = "@sha256:" + "0a" * 32
    graph = with_container(deployment.graph, lambda c: c.update(image=c["image"] + digest))
    assert desired_state(graph).task.image.endswith(digest)


def test_what_the_table_does_not_hold_is_an_error(deployment: Deployment, tmp_path: Path) -> None:
    changes: dict[str, Change] = {
        "entry point 'uwsgi'": lambda c: c.update(entryPoint=["uwsgi"]),
        "/srv/elsewhere": lambda c: c["command"].append("/srv/elsewhere"),
        "bind container port 8080": lambda c: c["command"].remove("0.0.0.0:8080"),
        "nginx:latest": lambda c: c.update(image="nginx:latest"),
    }
    for number, (message, change) in enumerate(changes.items()):
        graph = with_container(deployment.graph, change)
        with pytest.raises(UnavailableError, match=message), running(graph, tmp_path / str(number)):
            pass


@pytest.fixture(scope="module")
def peer() -> Deployment:
    return deployment_of(load_stack(ROOT, "peer")[0])


class TestTheImagesOwnEntryPoint:
    def test_it_is_pypiserver_under_gunicorn_as_the_command_says(self, peer: Deployment, tmp_path: Path) -> None:
        with running(one_task(peer.graph), tmp_path) as stack:
            master = psutil.Process(stack.tasks[0].child.pid)
            assert Path(master.cwd()).name == "data"
            # Four workers: gunicorn found its configuration in the working folder.
            eventually(lambda: len(master.children()) == 4)
            assert get(stack, peer.outputs["password"])[0] == 200
            assert get(stack, "a guess")[0] == 403
            assert upload(stack, peer.outputs["password"]) == 200
        (stored,) = tmp_path.glob("efs/**/*.whl")
        assert stored.read_bytes() == b"content"

    def test_it_listens_where_it_is_told_and_nowhere_else(self, peer: Deployment, tmp_path: Path) -> None:
        with running(one_task(peer.graph), tmp_path) as stack:
            (task,) = stack.tasks
            sockets = psutil.Process(task.child.pid).net_connections("tcp")
            assert {connection.laddr.port for connection in sockets if connection.status == "LISTEN"} == {task.port}

    def test_the_htpasswd_file_comes_from_the_user_data(self, peer: Deployment, tmp_path: Path) -> None:
        def another_user(inputs: dict[str, Any]) -> None:
            text = base64.b64decode(inputs["userData"]).decode()
            inputs["userData"] = base64.b64encode(text.replace('"pypiserver:', '"another:').encode()).decode()

        graph = altered(one_task(peer.graph), "aws:ec2/launchTemplate:LaunchTemplate", another_user)
        with running(graph, tmp_path) as stack:
            assert get(stack, peer.outputs["password"])[0] == 403

    @pytest.mark.parametrize("word", ["8080", "gunicorn"])
    def test_a_server_that_would_take_a_port_of_its_own_is_refused(
        self, peer: Deployment, tmp_path: Path, word: str
    ) -> None:
        graph = with_container(peer.graph, lambda c: c["command"].remove(word))
        with pytest.raises(UnavailableError, match="bind container port 8080"), running(graph, tmp_path):
            pass


def test_a_file_of_users_beside_the_packages_holds_the_user_that_is_exported(tmp_path: Path) -> None:
    values = {
        "pypiserver:profile": "light",
        "pypiserver:allow_http": "true",
        "pypiserver:authentication": "htpasswd",
    }
    config = StackConfig("pypiserver", "test", values)
    deployment = EmbeddedEngine(LocalCloud(), ROOT).up(config)
    task = desired_state(deployment.graph).task
    prepare_host(task, tmp_path)
    (path,) = tmp_path.glob("efs/**/.htpasswd")
    username, password_hash = path.read_text().rstrip().split(":")
    assert username == deployment.outputs["username"]
    assert bcrypt.checkpw(deployment.outputs["password"].encode(), password_hash.encode())
    assert localise(task, tmp_path, 7).environment["PYPISERVER_HTPASSWD"] == str(path)


def test_an_unexpected_end_is_noticed(deployment: Deployment, tmp_path: Path) -> None:
    with running(deployment.graph, tmp_path) as stack:
        assert stack.ended() == []
        os.kill(stack.tasks[0].child.pid, 9)
        stack.tasks[0].child.popen.wait(10)
        assert len(stack.ended()) == 1
