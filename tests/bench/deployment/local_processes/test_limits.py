"""Limits on real processes, where control groups can be used; and what becomes of them where they cannot."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

import psutil
import pytest

from bench.common.failures import UnavailableError
from bench.common.run_mark import RUN_VARIABLE
from bench.deployment.engine import Deployment
from bench.deployment.graph import Graph
from bench.deployment.local_processes import limits
from bench.deployment.local_processes.control_groups import (
    ControllerName,
    NotUsableError,
    find_controller,
    group_name,
    marks_of_groups,
    remove_groups,
)
from bench.deployment.local_processes.limits import TaskLimits
from bench.deployment.local_processes.processes import Child
from bench.deployment.local_processes.reconcile import LocalStack, desired_state, honest_task_count
from bench.deployment.local_processes.task_definition import InstanceSpec, TaskSpec
from bench.deployment.local_processes.tasks import Task
from bench.runtime.scratch import remove_abandoned, remove_run
from tests.bench.deployment.local_processes.stacks import altered, eventually, one_task, with_container

MARK = f"a test {os.getpid()}"
SMALL = InstanceSpec("t3.nano", vcpu_count=1, min_count=1)
# The master survives, its child takes 64 MB when it is told to.
HUNGRY = """
import os, sys
sys.stdin.readline()
if os.fork() == 0:
    bytearray(os.urandom(64 << 20))
    os._exit(0)
print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def own_mark(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(RUN_VARIABLE, MARK)
    yield
    assert remove_groups(MARK) == []


@pytest.fixture
def usable() -> None:
    names: tuple[ControllerName, ...] = ("memory", "cpu")
    for name in names:
        try:
            find_controller(name).make(PurePosixPath(group_name(MARK, 0)))
        except NotUsableError as reason:
            pytest.skip(f"control groups cannot be used here: {reason}")


@pytest.fixture
def spec(deployment: Deployment) -> TaskSpec:
    return replace(desired_state(deployment.graph).task, memory_mb=32, cpu_units=512)


@contextmanager
def hungry_task(folder: Path, task_id: str) -> Iterator[tuple[Task, subprocess.Popen[bytes]]]:
    with subprocess.Popen([sys.executable, "-c", HUNGRY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield Task(task_id, 1, 32, Child(task_id, process, folder / "log")), process
        process.kill()


def eat(process: subprocess.Popen[bytes]) -> int:
    """Has the task take more than its limit; the exit status of the one that did."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    return int(process.stdout.readline())


@pytest.mark.usefixtures("usable")
def test_a_task_that_takes_more_than_its_memory_has_an_oom_kill(tmp_path: Path, spec: TaskSpec) -> None:
    task_limits = TaskLimits(SMALL, 1, tmp_path)
    with hungry_task(tmp_path, "task-1") as (task, process), hungry_task(tmp_path, "task-2") as (other, _):
        task_limits.apply(task, spec)
        task_limits.apply(other, spec)
        assert task_limits.oom_kills() == {}
        assert eat(process) == -9
        assert task_limits.oom_kills().keys() == {"task-1"}
        assert task_limits.oom_kills()["task-1"].count == 1
        assert process.poll() is None
    task_limits.stop()
    assert task_limits.enforced.memory
    assert MARK in marks_of_groups()


@pytest.mark.usefixtures("usable")
def test_tasks_are_dealt_to_instances_of_their_vcpus(tmp_path: Path, spec: TaskSpec) -> None:
    task_limits = TaskLimits(SMALL, 2, tmp_path)
    with hungry_task(tmp_path, "task-1") as (one, _), hungry_task(tmp_path, "task-2") as (two, _):
        for task in (one, two):
            task_limits.apply(task, spec)
        groups = [Path(f"/proc/{task.child.pid}/cgroup").read_text() for task in (one, two)]
    task_limits.stop()
    assert all(f"{MARK}-" in text for text in groups)
    instances = [{line.split("/")[-2] for line in text.splitlines() if MARK in line} for text in groups]
    assert len(instances[0]) == len(instances[1]) == 1
    assert instances[0] != instances[1]
    enforced = task_limits.enforced
    assert (enforced.cpu_shares, enforced.vcpus_per_instance, enforced.not_enforced) == (True, 1, ())


@pytest.mark.usefixtures("usable")
def test_an_instance_of_more_vcpus_than_there_are_cores_is_not_capped(tmp_path: Path) -> None:
    large = InstanceSpec("c6a.48xlarge", vcpu_count=100_000, min_count=1)
    enforced = TaskLimits(large, 1, tmp_path).enforced
    assert (enforced.cpu_shares, enforced.vcpus_per_instance) == (True, None)
    (sentence,) = enforced.not_enforced
    assert sentence.startswith("vCPUs of an instance: a c6a.48xlarge has 100000, and this machine has ")
    (sentence,) = TaskLimits(InstanceSpec("x9.new", None, 1), 1, tmp_path).enforced.not_enforced
    assert sentence == "vCPUs of an instance: how many a x9.new has is not known"


@pytest.mark.usefixtures("usable")
def test_a_task_that_cannot_even_start_within_its_memory(deployment: Deployment, tmp_path: Path) -> None:
    graph = with_container(one_task(deployment.graph), lambda container: container.update(memory=6))
    state = desired_state(graph)
    stack = LocalStack(state, tmp_path, 1, TaskLimits(state.instance, 1, tmp_path))
    try:
        with pytest.raises(UnavailableError, match="task-1 needed more memory than its limit of 6 MB: the kernel"):
            stack.start()
    finally:
        stack.stop()


@pytest.mark.usefixtures("usable")
def test_the_groups_of_a_killed_run_are_removed_with_its_processes(tmp_path: Path, spec: TaskSpec) -> None:
    task_limits = TaskLimits(SMALL, 1, tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HUNGRY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        eventually(lambda: MARK in Path(f"/proc/{process.pid}/environ").read_text())
        task_limits.apply(Task("task-1", 1, 32, Child("task-1", process, tmp_path / "log")), spec)
        task_limits.stop()
        assert MARK in marks_of_groups()
        assert remove_run(MARK) == []
        assert not psutil.pid_exists(process.pid)
    assert MARK not in marks_of_groups()


@pytest.mark.usefixtures("usable")
def test_the_next_run_removes_the_groups_of_one_that_was_killed_with_its_watchdog() -> None:
    mark = "999999999-1-0badcafe"  # no process has such an id
    memory = find_controller("memory")
    memory.make(PurePosixPath(group_name(mark, 1), "task-1"))
    assert mark in remove_abandoned()
    assert not (memory.base / group_name(mark, 1)).exists()


def test_what_cannot_be_enforced_is_not_and_the_task_runs(
    tmp_path: Path, spec: TaskSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(name: ControllerName) -> None:
        raise NotUsableError(f"no {name}")

    monkeypatch.setattr(limits, "find_controller", refuse)
    task_limits = TaskLimits(SMALL, 1, tmp_path)
    with hungry_task(tmp_path, "task-1") as (task, process):
        task_limits.apply(task, spec)
        assert eat(process) == 0
    task_limits.stop()
    enforced = task_limits.enforced
    assert (enforced.memory, enforced.cpu_shares, enforced.vcpus_per_instance) == (False, False, None)
    assert enforced.not_enforced == ("memory limits: no memory", "CPU: no cpu")
    assert task_limits.oom_kills() == {}


def test_an_operating_system_without_cpu_affinity(
    tmp_path: Path, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")  # as on macOS
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    task_limits = TaskLimits(InstanceSpec("t3.micro", 2, 1), 1, tmp_path)
    assert task_limits.enforced.vcpus_per_instance is None
    assert honest_task_count(replace(desired_state(deployment.graph), task_count=12), 1024) == 2


def test_files_in_memory_would_count_as_memory_of_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "file_system_of", lambda folder: "tmpfs")
    enforced = TaskLimits(SMALL, 1, tmp_path).enforced
    assert not enforced.memory
    assert "set TMPDIR to a folder on a disk" in enforced.not_enforced[0]


def test_the_graph_says_which_limits_there_are(deployment: Deployment) -> None:
    def smaller(graph: Graph) -> Graph:
        template = "aws:ec2/launchTemplate:LaunchTemplate"
        return altered(graph, template, lambda inputs: inputs.update(instanceType="t3.micro"))

    graph = with_container(deployment.graph, lambda container: container.update(memory=77, cpu=99))
    graph = altered(graph, "aws:autoscaling/group:Group", lambda inputs: inputs.update(minSize=3))
    state = desired_state(smaller(graph))
    assert (state.task.memory_mb, state.task.cpu_units) == (77, 99)
    assert state.instance == InstanceSpec("t3.micro", 2, 3)
