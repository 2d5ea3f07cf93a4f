"""A stack that is deployed to or scaled under load loses no request, and nothing of what went before remains."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Literal

import psutil
import pytest

from bench.common.failures import UnavailableError, UsageError
from bench.common.run_mark import RUN_VARIABLE
from bench.deployment.engine import Deployment
from bench.deployment.engine.choose import choose
from bench.deployment.graph import Graph
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.local_processes.reconcile import desired_state
from bench.deployment.stack_config import load_stack
from bench.index.publish import fetch_catalogue
from bench.index.target import Target
from bench.index.upload import Form
from bench.runtime.scratch import processes_of
from pypiserver_stack.tasks.server_files import packed
from tests.bench.deployment.local_processes.rolling_stack import DeploymentFailedError, RollingStack
from tests.bench.deployment.local_processes.stacks import (
    ROOT,
    SERVICE,
    TARGET_GROUP,
    altered,
    eventually,
    one_task,
    running,
    two_tasks,
    with_container,
)
from tests.bench.deployment.local_processes.steady_load import SteadyLoad
from tests.pypiserver_stack.container.small_packages import make_wheel


def new_revision(graph: Graph, **variables: str) -> Graph:
    """The graph with other variables in the environment of its tasks."""

    def change(container: dict[str, Any]) -> None:
        container["environment"] += [{"name": name, "value": value} for name, value in variables.items()]

    return with_container(graph, change)


def broken_revision(graph: Graph, folder: Path) -> Graph:
    """The graph with a server that cannot start."""
    (folder / "entry").mkdir(parents=True)
    (folder / "entry" / "gunicorn_config.py").write_text("raise RuntimeError('broken on purpose')")

    def change(container: dict[str, Any]) -> None:
        (files,) = (entry for entry in container["environment"] if entry["name"] == "SERVER_FILES")
        files["value"] = packed(folder)

    return with_container(graph, change)


def ids(stack: RollingStack) -> list[str]:
    return [task.id for task in stack.tasks]


@contextmanager
def under_load(deployment: Deployment, graph: Graph, folder: Path) -> Iterator[tuple[RollingStack, SteadyLoad]]:
    """The stack of a graph, which must answer every request until the end, and keep what was uploaded."""
    outputs = deployment.outputs
    with running(graph, folder / "run") as stack:
        target = Target(stack.url, outputs["username"], outputs["password"])
        with SteadyLoad(target, folder / "wheels") as load:
            load.await_more(ids(stack))
            yield stack, load
            load.await_more(ids(stack))
        assert load.failed == []
        listed = asyncio.run(fetch_catalogue(target, 10))
        assert {package.filename for package in listed} == load.uploaded
        assert len(load.uploaded) > 5


def test_a_deployment_replaces_every_task_and_no_request_fails(deployment: Deployment, tmp_path: Path) -> None:
    graph = two_tasks(deployment.graph)
    with under_load(deployment, graph, tmp_path) as (stack, _):
        old = [task.child.pid for task in stack.tasks]
        stack.deploy(new_revision(graph, REVISION="2"))
        assert ids(stack) == ["task-3", "task-4"]
        assert not any(psutil.pid_exists(pid) for pid in old)
        assert {psutil.Process(task.child.pid).environ()["REVISION"] for task in stack.tasks} == {"2"}
        assert stack.balancer.targets().keys() == {task.port for task in stack.tasks}
        assert stack.ended() == []


def test_scaling_out_and_in_loses_no_request(deployment: Deployment, tmp_path: Path) -> None:
    with under_load(deployment, one_task(deployment.graph), tmp_path) as (stack, load):
        stack.scale(2)
        load.await_more(["task-1", "task-2"])
        leaving = stack.tasks[1].child.pid
        stack.scale(1)
        assert ids(stack) == ["task-1"]
        assert not psutil.pid_exists(leaving)
        for count in (0, 3):
            with pytest.raises(UsageError, match=f"{count} tasks"):
                stack.scale(count)


def test_a_broken_revision_is_rolled_back_and_no_request_fails(deployment: Deployment, tmp_path: Path) -> None:
    graph = two_tasks(deployment.graph)
    with under_load(deployment, graph, tmp_path) as (stack, load):
        before = [task.child.pid for task in stack.tasks]
        with pytest.raises(DeploymentFailedError, match=r"broken on purpose.*the old revision is back"):
            stack.deploy(broken_revision(graph, tmp_path / "broken"))
        assert [task.child.pid for task in stack.tasks] == before
        assert stack.state == desired_state(graph)
        # Four were tried: the circuit breaker opens at three failures, and two start at a time.
        load.await_more(ids(stack))
    assert {folder.name for folder in (tmp_path / "run" / "tasks").iterdir()} == {f"task-{n}" for n in range(1, 7)}


def test_an_upload_under_way_keeps_its_task_until_it_is_whole(deployment: Deployment, tmp_path: Path) -> None:
    graph = one_task(deployment.graph)
    with running(graph, tmp_path / "run") as stack:
        (task,) = stack.tasks
        client = HTTPConnection(stack.url.removeprefix("http://"), timeout=60)
        target = Target(stack.url, deployment.outputs["username"], deployment.outputs["password"])
        wheel = make_wheel(tmp_path, "thing", "1.0", padding=bytes(100_000))
        form = Form.of_upload(wheel)
        client.putrequest("POST", "/")
        client.putheader("Authorization", target.authorization)
        client.putheader("Content-Type", form.content_type)
        client.putheader("Content-Length", str(form.length_bytes))
        client.endheaders(form.before + wheel.read_bytes())
        with ThreadPoolExecutor(1) as background:
            deploying = background.submit(stack.deploy, new_revision(graph, REVISION="2"))
            eventually(lambda: stack.balancer.targets()[task.port].draining)
            assert not deploying.done()
            assert task.child.exit_status is None
            client.send(form.after)
            assert client.getresponse().status == 200
            client.close()
            deploying.result(60)
        assert task.child.exit_status == 0


def test_percentages_that_leave_no_task_to_replace_are_told(deployment: Deployment, tmp_path: Path) -> None:
    graph = altered(
        one_task(deployment.graph),
        SERVICE,
        lambda inputs: inputs.update(deploymentMinimumHealthyPercent=100, deploymentMaximumPercent=100),
    )
    with running(graph, tmp_path) as stack:
        with pytest.raises(DeploymentFailedError, match="leave none of 1 task to replace"):
            stack.deploy(new_revision(graph, REVISION="2"))
        assert ids(stack) == ["task-1"]
        with pytest.raises(UnavailableError, match="not balancers"):
            stack.deploy(altered(graph, TARGET_GROUP, lambda inputs: inputs.update(deregistrationDelay=1)))


def test_a_deployment_that_is_stopped_leaves_nothing(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = f"a test in {tmp_path.name}"
    monkeypatch.setenv(RUN_VARIABLE, mark)
    graph = one_task(deployment.graph)
    with running(graph, tmp_path) as stack, ThreadPoolExecutor(1) as background:
        deploying = background.submit(stack.deploy, new_revision(graph, REVISION="2"))
        eventually((tmp_path / "tasks" / "task-2" / "log").exists)
        stack.stop()
        with pytest.raises(UnavailableError, match="stopped meanwhile"):
            deploying.result(60)
        assert processes_of(mark) == []
        with pytest.raises(UnavailableError, match="stopped meanwhile"):
            stack.scale(2)


def test_a_deployment_that_is_interrupted_leaves_nothing(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = f"a test in {tmp_path.name}"
    monkeypatch.setenv(RUN_VARIABLE, mark)
    graph = one_task(deployment.graph)

    def interrupt(self: object, ports: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(RollingStack, "_check_draining", interrupt)
    with running(graph, tmp_path) as stack, pytest.raises(KeyboardInterrupt):
        stack.deploy(new_revision(graph, REVISION="2"))
    assert processes_of(mark) == []


@pytest.mark.parametrize("engine", ["embedded", pytest.param("pulumi", marks=pytest.mark.engine)])
def test_an_update_of_the_stack_is_deployed(
    engine: Literal["embedded", "pulumi"],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if engine == "pulumi":
        folder = request.getfixturevalue("pulumi_cli")
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    small = ["profile=light"]
    evaluated = choose(engine, LocalCloud(), ROOT, tmp_path / "engine")
    try:
        graph = evaluated.up(load_stack(ROOT, "stress", small)[0]).graph
        with running(one_task(graph), tmp_path) as stack:
            before, url = stack.tasks, stack.url
            graph = evaluated.up(load_stack(ROOT, "stress", [*small, "timing_headers=false"])[0]).graph
            stack.deploy(graph)
            (task,) = stack.tasks
            assert task not in before
            assert psutil.Process(task.child.pid).environ()["PYPISERVER_TIMING_HEADERS"] == "false"
            assert stack.url == url
    finally:
        assert evaluated.down() == ()
