"""`python -m bench load`: an index that is already there, with the packages that it has."""

from __future__ import annotations

from bench.commands.parameters import IndexParameters, load_parameters
from bench.common.failures import ExitCode, UsageError
from bench.index.probe import probe
from bench.index.publish import fetch_catalogue
from bench.index.target import Target
from bench.report import model
from bench.runtime.measurement import load_and_judge, prepared_uploads
from bench.runtime.run import Run


class ExistingIndex:
    """One load of somebody's index. There is nothing to take down but the run's own folder."""

    def __init__(self, parameters: IndexParameters) -> None:
        """
        Raises:
            UsageError: a value makes no sense or changes nothing, or there is no password for the user.
        """
        if parameters.username and not parameters.password:
            raise UsageError(f"PYPI_PASSWORD is not set: set it to the password of {parameters.username}")
        self._target = Target(parameters.url, parameters.username, parameters.password)
        self._load = load = load_parameters(parameters.options, stack_file={})
        if load.wheel_kb is not None and not load.workload.uploads_needed():
            raise UsageError(
                f"--wheel-kb {load.wheel_kb} changes nothing: the index has its wheels, and the workload "
                f"{load.workload.name} uploads none"
            )

    def work(self, run: Run) -> None:
        """See what the index has, load it, judge it."""
        target, load = self._target, self._load
        run.findings.secrets |= {target.password} - {""}
        run.findings.seed = load.seed
        run.findings.index_url = target.url

        run.step("probe")
        run.interruptions.run(probe(target))
        files = run.interruptions.run(fetch_catalogue(target.url, target.username, target.password, load.packages))
        packages = sorted({file.name for file in files})
        uploads = prepared_uploads(load, run)

        run.step("load")
        run.findings.workload = model.WorkloadInfo(
            name=load.workload.name,
            clients=load.workload.clients,
            packages=len(packages),
            wheels=len(files),
            package_set=None,
            parameters=load.as_dict(),
        )
        load_and_judge(run, target, load, packages, uploads)

    def down(self, run: Run) -> None:
        """Nothing of the index is ours: the report's teardown stays null."""
        leftovers = run.scratch.remove()
        if leftovers:
            run.findings.fail(ExitCode.LEFTOVERS, f"left behind: {', '.join(leftovers)}")

    def report(self, run: Run) -> model.Report:
        """The report of the load."""
        return run.report()
