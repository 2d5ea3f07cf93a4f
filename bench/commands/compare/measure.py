"""One round: a load on one variant while the others stand idle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.commands.compare.rounds import Round, RoundCpu
from bench.commands.compare.standing import Standing
from bench.common.failures import ExitCode
from bench.deployment.observe.cpu import CpuObserver
from bench.load.parameters import LoadParameters
from bench.report.run_folder import RunFolder
from bench.runtime.measurement import prepare_load
from bench.runtime.run import Run


def measure(
    run: Run,
    standing: Standing,
    load: LoadParameters,
    packages: Sequence[str],
    uploads: Sequence[Path],
    folder: RunFolder,
) -> Round:
    """Send a load once, and keep its samples in `folder`.

    What makes the figures worth nothing is noted among the run's findings; the comparison goes on, and says so.
    """
    tasks, balancer = standing.processes.tasks, standing.processes.balancer
    sending = prepare_load(run, standing.target, load, packages, uploads)
    requests_before = balancer.requests_by_port()
    with (
        CpuObserver({task.id: task.child.pid for task in tasks}) as tasks_cpu,
        CpuObserver({"balancer": balancer.child.pid}) as balancer_cpu,
    ):
        run.interruptions.run(sending.run())
    requests = balancer.requests_by_port()
    result = sending.result()
    folder.write_samples(result.samples)

    warnings, untrustworthy = result.generator.problems()
    if untrustworthy:
        run.findings.fail(ExitCode.UNTRUSTWORTHY, f"{standing.name}: {'; '.join(warnings)}")
    else:
        told = [f"{standing.name}: {warning}" for warning in warnings]
        run.findings.warnings += [sentence for sentence in told if sentence not in run.findings.warnings]
    for sentence in standing.processes.ended():
        # Whatever else is odd about the measurement, this is why.
        run.findings.failures[ExitCode.UNTRUSTWORTHY] = f"{standing.name}: {sentence} (it was up when the load began)"

    all_tasks_known = len(tasks_cpu.used_s) == len(tasks)
    return Round.of(
        result.samples,
        # Not every server says who it is; the balancer knows of all, and where it has ended, of none.
        {task.id: max(0, requests.get(task.port, 0) - requests_before.get(task.port, 0)) for task in tasks},
        RoundCpu(
            tasks_s=sum(tasks_cpu.used_s.values()) if all_tasks_known else None,
            balancer_s=balancer_cpu.used_s.get("balancer"),
            generator_s=sum(result.generator.cpu_s),
        ),
    )
