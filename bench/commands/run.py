"""The main job: up, publish, load, observe, judge, down. The only place that knows this order."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

from bench.commands.parameters import RunParameters, limits_parameter, load_parameters
from bench.common.failures import ExitCode
from bench.deployment import description
from bench.deployment.local import PROJECT_FOLDER, LocalDeployment
from bench.deployment.local_processes.ingress import NO_CLOUDFRONT
from bench.deployment.local_processes.reconcile import LocalStack
from bench.deployment.local_processes.tasks import Task
from bench.deployment.local_processes.versions import versions
from bench.deployment.observe.cpu import CpuObserver
from bench.deployment.observe.local import MemoryObserver
from bench.deployment.stack_config import load_stack
from bench.index.publish import publish_async
from bench.index.target import Target
from bench.report import model
from bench.runtime.interruption import Interrupted
from bench.runtime.keep import credentials_file, invitation
from bench.runtime.measurement import load_and_judge, prepared_uploads, workload_of
from bench.runtime.run import Run
from bench.runtime.teardown import take_down
from sizing.counted import counted


class Cycle:
    """One run of the main job. `work` puts up and loads, `down` takes down what `work` got to."""

    def __init__(self, parameters: RunParameters, on_kept: Callable[[model.Report, Sequence[str]], None]) -> None:
        """
        Args:
            on_kept: shows the report of a stack that is then kept up, and how it is used.

        Raises:
            UsageError: a value makes no sense, or the stack file cannot be read.
        """
        self._parameters = parameters
        self._config, bench_values = load_stack(PROJECT_FOLDER, parameters.stack, parameters.overrides)
        self._load = load_parameters(parameters.options, bench_values)
        self._limits = limits_parameter(parameters.options, bench_values)
        self._on_kept = on_kept
        self._stack: LocalDeployment | None = None

    def work(self, run: Run) -> None:
        """Everything up to the verdict; with `--keep`, then wait for a signal."""
        parameters, load = self._parameters, self._load
        run.findings.seed = load.seed

        run.step("evaluate")
        self._stack = stack = LocalDeployment(
            self._config, parameters.engine, parameters.tasks, run.scratch.path, limits=self._limits
        )
        stack.evaluate()
        _record_deployment(run, stack)
        run.progress.note(f"{counted(len(stack.deployment.graph), 'resource')}, engine {stack.stack.engine}")

        run.step("start")
        target = stack.start()
        run.findings.index_url = target.url
        run.progress.note(
            f"{len(stack.processes.tasks)} of {counted(stack.processes.state.task_count, 'task')} behind {target.url}"
        )

        run.step("packages")
        wheels = run.wheels(load.package_set)
        uploads = prepared_uploads(load, run)

        run.step("publish")
        run.interruptions.run(
            publish_async(
                *(target.url, target.username, target.password, wheels),
                concurrency=stack.concurrent_uploads,
                on_progress=run.progress.progress,
            )
        )

        run.step("load")
        run.findings.workload = workload_of(load, wheels)
        tasks, balancer = stack.processes.tasks, stack.processes.balancer
        with (
            MemoryObserver(tasks) as memory,
            CpuObserver({task.id: task.child.pid for task in tasks}) as tasks_cpu,
            CpuObserver({"balancer": balancer.child.pid}) as balancer_cpu,
        ):
            load_and_judge(run, target, load, sorted({wheel.name for wheel in wheels}), uploads)
        run.findings.tasks_cpu_s = tasks_cpu.used_s
        run.findings.balancer_cpu_s = balancer_cpu.used_s.get("balancer")
        for sentence in stack.processes.ended():
            # Whatever else is odd about the measurement, this is why.
            run.findings.failures[ExitCode.UNTRUSTWORTHY] = f"{sentence} (it was up when the load began)"
        _record_local(run, stack, memory)
        if parameters.keep:
            self._keep(run, target)

    def down(self, run: Run) -> None:
        """Take everything down, in the reverse order, each part whatever became of the others."""
        # Of a measurement that was finished they are recorded; a kept stack may have had others since.
        if self._stack is not None and run.findings.local is None:
            run.findings.oom_kills = self._stack.oom_sentences()
        parts = (self._stack.stop, self._stack.delete) if self._stack is not None else ()
        run.findings.teardown = take_down((*parts, run.scratch.remove))

    def report(self, run: Run) -> model.Report:
        """The report of the run."""
        return run.report()

    def _keep(self, run: Run, target: Target) -> None:
        path = credentials_file(run.scratch.path, target)
        run.progress.end_step()
        try:
            self._on_kept(run.report(), invitation(target.url, path))
            run.step("keep")
            while True:
                run.interruptions.check()
                time.sleep(0.2)
        except Interrupted:
            run.interruptions.forget()  # this is how a kept stack is meant to end: the verdict stands


def _record_deployment(run: Run, stack: LocalDeployment) -> None:
    run.findings.secrets |= stack.secrets
    run.findings.stack = stack.stack
    run.findings.plan = stack.plan
    run.findings.warnings += stack.deployment.outputs["capacity"]["warnings"]
    run.folder.write_infrastructure(stack.deployment.graph, stack.secrets)


def _record_local(run: Run, stack: LocalDeployment, memory: MemoryObserver) -> None:
    tasks, state, enforced = stack.processes.tasks, stack.processes.state, stack.processes.enforced
    run.findings.oom_kills = stack.oom_sentences()
    run.findings.local = description.Local(
        tasks_run=len(tasks),
        tasks_planned=state.task_count,
        workers_per_task=int(state.task.environment["GUNICORN_WORKERS"]),
        versions=versions(),
        memory=[_memory_of(task, memory.peak_mb[task.id], stack.processes) for task in tasks],
        differences=[
            f"{len(tasks)} of {counted(state.task_count, 'task')} run, beside the load generator and the balancer.",
            "Packages lie on the local disk, not on EFS: file operations cost microseconds, not milliseconds.",
            *([NO_CLOUDFRONT] if state.balancer.behind_cloudfront else []),
            "Neither TLS nor a network lies between client, balancer and tasks; the balancer is Envoy.",
            *(f"Not enforced: {what}." for what in enforced.not_enforced),
        ],
        limits=description.Limits(**asdict(enforced)),
    )


def _memory_of(task: Task, peak_mb: float, processes: LocalStack) -> description.TaskMemory:
    is_enforced, kills = processes.enforced.memory, processes.oom_kills().get(task.id)
    return description.TaskMemory(
        task=task.id,
        peak_pss_mb=peak_mb,
        limit_mb=task.memory_mb,
        would_be_oom_killed=kills is not None if is_enforced else peak_mb > task.memory_mb,
        oom_kills=(kills.count if kills else 0) if is_enforced else None,
        first_oom_kill_at=kills.first_at if kills else None,
    )
