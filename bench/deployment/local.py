"""A stack on this machine: its program evaluated, its tasks and its balancer run as processes."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from bench.common.failures import UnavailableError, UsageError
from bench.common.teardown import leftovers_of
from bench.deployment import RunContext
from bench.deployment.description import Description, Local, Plan, Stack, VersionPair, Versions
from bench.deployment.engine import Deployment, Engine, StackConfig
from bench.deployment.engine.choose import choose
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.local_processes.balancer import find_envoy
from bench.deployment.local_processes.limits import TaskLimits
from bench.deployment.local_processes.load_balancer import NO_CLOUDFRONT
from bench.deployment.local_processes.reconcile import DesiredState, LocalStack, desired_state, honest_task_count
from bench.deployment.local_processes.task_definition import CARRIED
from bench.deployment.outputs import role_targets
from bench.deployment.process_index import ProcessIndex
from bench.deployment.stack_config import PROJECT_FOLDER
from bench.index.target import Target
from sizing.counted import counted

_USUAL_UPLOADS = 4


@dataclass(frozen=True)
class LocalOptions:
    """Options of a stack on this machine."""

    engine: Literal["auto", "pulumi", "embedded"] = "auto"
    tasks: int | None = None
    """How many of the planned tasks to run; None: as many as this machine can run honestly."""
    enforce_limits: bool = False
    """Put each task under the limits that it would have on AWS, where this machine can."""
    watch_memory: bool = False
    """Measure the memory of each task during a load, which costs some CPU time."""


class LocalIndex(ProcessIndex):
    """A stack on this machine; an `IndexUnderTest`."""

    def __init__(self, config: StackConfig, options: LocalOptions) -> None:
        self._config = config
        self._options = options
        self._watches_memory = options.watch_memory
        self._engine: Engine | None = None
        self._deployment: Deployment | None = None
        self._target: Target | None = None

    def up(self, run: RunContext) -> Target:
        """Have an engine make the stack's resources, and start the tasks and the balancer that they describe."""
        run.step("evaluate")
        self._engine = choose(self._options.engine, LocalCloud(), PROJECT_FOLDER, run.scratch_folder / "engine")
        self._deployment = deployment = self._engine.up(self._config)
        run.keep_secret({str(deployment.outputs[name]) for name in deployment.secret_outputs})
        run.write_infrastructure(deployment.graph)
        run.note(f"{counted(len(deployment.graph), 'resource')}, engine {self._engine.name}")

        run.step("start")
        find_envoy()
        state = desired_state(deployment.graph)
        check_url(deployment.outputs["url"], state)
        self._started = processes = self._prepared(state, deployment.outputs["capacity"], run.scratch_folder)
        processes.start()
        run.note(f"{len(processes.tasks)} of {counted(state.task_count, 'task')} behind {processes.url}")
        self._target = role_targets(processes.url, deployment.outputs)
        return self._target

    @property
    def target(self) -> Target:
        """Its URL and credentials."""
        assert self._target is not None, "up comes first"
        return self._target

    def describe(self) -> Description:
        """Stack and plan once the program is evaluated, the rest once the tasks run."""
        if self._engine is None or self._deployment is None:
            return Description()
        outputs = self._deployment.outputs
        plan = outputs["capacity"]
        prefix = f"{self._config.project}:"
        return Description(
            url=self._target.url if self._target else None,
            stack=Stack(name=self._config.stack, profile=outputs["profile"], engine=self._engine.name, target="local"),
            plan=Plan.of(plan),
            settings={key.removeprefix(prefix): value for key, value in sorted(self._config.values.items())},
            tasks=tuple(task.id for task in self.processes.tasks) if self._target else (),
            local=self._local() if self._target else None,
            # Started by the image's entry point, the server mixes up uploads that it receives at the same time.
            concurrent_uploads=(_USUAL_UPLOADS if self.processes.state.task.entry_point else 1) if self._target else 0,
            warnings=tuple(plan["warnings"]),
        )

    def down(self) -> tuple[str, ...]:
        return leftovers_of(self._stop, self._delete)

    def _delete(self) -> tuple[str, ...]:
        return self._engine.down() if self._engine is not None else ()

    def _local(self) -> Local:
        tasks, state, enforced = self.processes.tasks, self.processes.state, self.processes.enforced
        return Local(
            tasks_run=len(tasks),
            tasks_planned=state.task_count,
            workers_per_task=int(state.task.environment["GUNICORN_WORKERS"]),
            versions=Versions(
                python=VersionPair(local=platform.python_version(), image=CARRIED["python"]),
                gunicorn=VersionPair(local=version("gunicorn"), image=CARRIED["gunicorn"]),
                gevent=VersionPair(local=version("gevent"), image=CARRIED["gevent"]),
            ),
            memory=[],
            differences=[
                f"{len(tasks)} of {counted(state.task_count, 'task')} run, beside the load generator and the balancer.",
                "Packages lie on the local disk, not on EFS: file operations cost microseconds, not milliseconds.",
                *([NO_CLOUDFRONT] if state.balancer.behind_cloudfront else []),
                "Neither TLS nor a network lies between client, balancer and tasks; the balancer is Envoy.",
                *(f"Not enforced: {what}." for what in enforced.not_enforced),
            ],
            limits=enforced,
        )

    def _prepared(self, state: DesiredState, capacity: Mapping[str, Any], folder: Path) -> LocalStack:
        """The processes, none of them started yet."""
        task_count = self._task_count(state, capacity)
        limits = None
        if self._options.enforce_limits:
            full = -(-task_count // capacity["tasks_per_instance"])
            limits = TaskLimits(state.instance, max(state.instance.min_count, full), folder)
        return LocalStack(state, folder, task_count, limits)

    def _task_count(self, state: DesiredState, capacity: Mapping[str, Any]) -> int:
        tasks = self._options.tasks
        if tasks is None:
            return honest_task_count(state, capacity["container_cpu_units"])
        if not 1 <= tasks <= state.task_max_count:
            raise UsageError(f"--tasks {tasks}: the plan has at most {state.task_max_count}, and 1 at the least")
        return tasks


def check_url(url: str, state: DesiredState) -> None:
    """The exported URL must lead to the very balancer and listener that stand in for it here."""
    parts = urlsplit(url)
    names, port = state.balancer.host_names, state.balancer.listener_port
    if parts.hostname not in names or (parts.port or (443 if parts.scheme == "https" else 80)) != port:
        raise UnavailableError(
            f"the stack exports {url}, but its listener is port {port} of {', '.join(sorted(names))}"
        )
