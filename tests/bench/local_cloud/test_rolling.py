"""A stack that is deployed to or scaled under load loses no request, and nothing of what went before remains."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.engine import Deployment
from bench.failures import UsageError
from bench.graph import Graph
from bench.local_cloud.reconcile import DeploymentFailedError, LocalStack, desired_state
from bench.publish import fetch_catalogue
from bench.target import Target
from pypiserver_stack.server_files import packed
from tests.bench.local_cloud.stacks import one_task, running, two_tasks, with_container
from tests.bench.local_cloud.steady_load import SteadyLoad


def new_revision(graph: Graph, **variables: str) -> Graph:
    """The graph with other variables in the environment of its tasks."""

    def change(container: dict[str, Any]) -> None:
        container["environment"] += [{"name": name, "value": value} for name, value in variables.items()]

    return with_container(graph, change)


def broken_revision(graph: Graph, folder: Path) -> Graph:
    """The graph with a server that cannot start."""
    folder.mkdir()
    (folder / "gunicorn.conf.py").write_text("raise RuntimeError('broken on purpose')")

    def change(container: dict[str, Any]) -> None:
        (files,) = (entry for entry in container["environment"] if entry["name"] == "SERVER_FILES")
        files["value"] = packed(folder)

    return with_container(graph, change)


def ids(stack: LocalStack) -> list[str]:
    return [task.id for task in stack.tasks]


@contextmanager
def under_load(deployment: Deployment, graph: Graph, folder: Path) -> Iterator[tuple[LocalStack, SteadyLoad]]:
    """The stack of a graph, which must answer every request until the end, and keep what was uploaded."""
    outputs = deployment.outputs
    with running(graph, folder / "run") as stack:
        target = Target(stack.url, outputs["username"], outputs["password"])
        with SteadyLoad(target, folder / "wheels") as load:
            load.await_more(ids(stack))
            yield stack, load
            load.await_more(ids(stack))
        assert load.failed == []
        listed = asyncio.run(fetch_catalogue(target.url, target.username, target.password, 10))
        assert {package.filename for package in listed} == load.uploaded
        assert len(load.uploaded) > 5


def test_a_deployment_replaces_every_task_and_no_request_fails(deployment: Deployment, tmp_path: Path) -> None:
    graph = two_tasks(deployment.graph)
    with under_load(deployment, graph, tmp_path) as (stack, _):
        old = [task.child.pid for task in stack.tasks]
        stack.deploy(desired_state(new_revision(graph, REVISION="2")))
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
            stack.deploy(desired_state(broken_revision(graph, tmp_path / "broken")))
        assert [task.child.pid for task in stack.tasks] == before
        assert stack.state == desired_state(graph)
        # Four were tried: the circuit breaker opens at three failures, and two start at a time.
        load.await_more(ids(stack))
    assert {folder.name for folder in (tmp_path / "run" / "tasks").iterdir()} == {f"task-{n}" for n in range(1, 7)}
