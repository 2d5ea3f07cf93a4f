"""The main job: up, publish, load, observe, judge, down. The only place that knows this order."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from bench.engine import Deployment, Engine
from bench.engine.choose import choose
from bench.failures import ExitCode, UnavailableError, UsageError
from bench.interruption import Interrupted
from bench.keep import credentials_file, invitation
from bench.load import load_and_judge, prepared_uploads
from bench.local_cloud.load_balancer import find_envoy
from bench.local_cloud.reconcile import DesiredState, LocalStack, desired_state, honest_task_count
from bench.local_cloud.resources import LocalCloud
from bench.local_cloud.versions import versions
from bench.observe.local import MemoryObserver
from bench.packages import PackageSet, Wheel, build, default_cache_dir
from bench.parameters import LoadParameters, RunParameters, load_parameters
from bench.publish import publish_async
from bench.report import model
from bench.run import Run
from bench.stack_config import load_stack
from bench.target import Target

PROJECT_FOLDER = Path(__file__).resolve().parent.parent


class Cycle:
    """One run of the main job. `work` puts up and loads, `down` takes down what `work` got to."""

    def __init__(self, parameters: RunParameters, on_kept: Callable[[model.Report, Sequence[str]], None]) -> None:
        """
        Args:
            on_kept: shows the report of a stack that is then kept up, and how it is used.
        """
        self._parameters = parameters
        self._on_kept = on_kept
        self._engine: Engine | None = None
        self._stack: LocalStack | None = None

    def work(self, run: Run) -> None:
        """Everything up to the verdict; with `--keep`, then wait for a signal."""
        parameters = self._parameters
        config, bench_values = load_stack(PROJECT_FOLDER, parameters.stack, parameters.overrides)
        load = load_parameters(parameters.asked, os.environ, bench_values)
        run.findings.seed = load.seed

        run.step("evaluate")
        self._engine = choose(parameters.engine, LocalCloud(), PROJECT_FOLDER, run.scratch.path / "engine")
        deployment = self._engine.up(config)
        _record_deployment(run, deployment, config.stack, self._engine.name)

        run.step("start")
        self._stack, target = self._start(run, deployment)

        run.step("packages")
        package_set = PackageSet(packages=load.packages, seed=load.seed)
        wheels = build(package_set, default_cache_dir(), run.progress.progress)
        uploads = prepared_uploads(load, run.progress)

        run.step("publish")
        run.interruptions.run(
            publish_async(target.url, target.username, target.password, wheels, on_progress=run.progress.progress)
        )

        run.step("load")
        run.findings.workload = _workload(load, package_set, wheels)
        with MemoryObserver(self._stack.tasks) as memory:
            load_and_judge(run, target, load, sorted({wheel.name for wheel in wheels}), uploads)
        for sentence in self._stack.ended():
            # Whatever else is odd about the measurement, this is why.
            run.findings.failures[ExitCode.UNTRUSTWORTHY] = f"{sentence} (it was up when the load began)"
        self._record_local(run, memory)
        if parameters.keep:
            self._keep(run, target)

    def down(self, run: Run) -> None:
        """Take everything down, in the reverse order, each part whatever became of the others."""
        leftovers: list[str] = []
        for part in (self._stop_processes, self._delete_resources, run.scratch.remove):
            try:
                leftovers += part()
            except Exception as error:
                leftovers.append(f"{type(error).__name__}: {error}")
        run.findings.teardown = model.Teardown(complete=not leftovers, leftovers=leftovers)

    def _start(self, run: Run, deployment: Deployment) -> tuple[LocalStack, Target]:
        find_envoy()
        state = desired_state(deployment.graph)
        _check_url(deployment.outputs["url"], state)
        stack = LocalStack(state, run.scratch.path, self._task_count(state, deployment))
        # Known before it is started: `down` has to stop what a start that is interrupted got to.
        self._stack = stack
        stack.start()
        run.findings.index_url = stack.url
        run.progress.note(f"{len(stack.tasks)} of {state.task_count} tasks behind {stack.url}")
        return stack, Target(stack.url, deployment.outputs["username"], deployment.outputs["password"])

    def _task_count(self, state: DesiredState, deployment: Deployment) -> int:
        asked = self._parameters.tasks
        if asked is None:
            return honest_task_count(state, deployment.outputs["capacity"]["container_cpu_units"])
        if not 1 <= asked <= state.task_max_count:
            raise UsageError(f"--tasks {asked}: the plan has at most {state.task_max_count}, and 1 at the least")
        return asked

    def _record_local(self, run: Run, memory: MemoryObserver) -> None:
        assert self._stack is not None
        tasks, state = self._stack.tasks, self._stack.state
        run.findings.local = model.Local(
            tasks_run=len(tasks),
            tasks_planned=state.task_count,
            workers_per_task=int(state.task.environment["GUNICORN_WORKERS"]),
            versions=versions(),
            memory=[
                model.TaskMemory(
                    task=task.id,
                    peak_pss_mb=memory.peak_mb[task.id],
                    limit_mb=task.memory_mb,
                    would_be_oom_killed=memory.peak_mb[task.id] > task.memory_mb,
                )
                for task in tasks
            ],
            differences=[
                f"{len(tasks)} of {state.task_count} tasks run, beside the load generator and the balancer.",
                "Packages lie on the local disk, not on EFS: file operations cost microseconds, not milliseconds.",
                "Neither TLS nor a network lies between client, balancer and tasks; the balancer is Envoy.",
                "CPU units and memory limits are not enforced: memory is measured and held against the limit.",
            ],
        )

    def _keep(self, run: Run, target: Target) -> None:
        run.step("keep")
        path = credentials_file(run.scratch.path, target)
        try:
            self._on_kept(run.report(), invitation(target.url, path))
            while True:
                run.interruptions.check()
                time.sleep(0.2)
        except Interrupted:
            run.interruptions.forget()  # this is how a kept stack is meant to end: the verdict stands

    def _stop_processes(self) -> list[str]:
        if self._stack is not None:
            self._stack.stop()
        return []

    def _delete_resources(self) -> list[str]:
        return list(self._engine.down()) if self._engine is not None else []


def _record_deployment(run: Run, deployment: Deployment, stack: str, engine: str) -> None:
    secrets = {str(deployment.outputs[name]) for name in deployment.secret_outputs}
    run.findings.secrets |= secrets
    plan = deployment.outputs["capacity"]
    run.findings.stack = model.Stack(name=stack, profile=deployment.outputs["profile"], engine=engine, target="local")
    run.findings.plan = model.Plan(
        instances=plan["instance_min_count"],
        **{name: plan[name] for name in model.Plan.model_fields if name != "instances"},
    )
    run.findings.warnings += plan["warnings"]
    run.folder.write_infrastructure(deployment.graph, secrets)


def _check_url(url: str, state: DesiredState) -> None:
    """The exported URL must lead to the very balancer and listener that stand in for it here."""
    parts = urlsplit(url)
    wanted = (state.balancer.dns_name, state.balancer.listener_port)
    if (parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)) != wanted:
        raise UnavailableError(f"the stack exports {url}, but its listener is port {wanted[1]} of {wanted[0]}")


def _workload(load: LoadParameters, package_set: PackageSet, wheels: tuple[Wheel, ...]) -> model.Workload:
    return model.Workload(
        name=load.workload.name,
        clients=load.workload.clients,
        packages=package_set.packages,
        wheels=len(wheels),
        package_set=package_set.digest(),
        parameters=load.as_dict(),
    )
