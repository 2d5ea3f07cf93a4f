"""`python -m bench load`: an index that exists already, with the packages that it has."""

from __future__ import annotations

from bench.commands.parameters import Options, load_parameters
from bench.commands.run.job import Cycle
from bench.common.failures import UsageError
from bench.deployment.live import LiveIndex
from bench.index.target import Target


def job(url: str, username: str, password: str, options: Options) -> Cycle:
    """The cycle that the command line asks for.

    Raises:
        UsageError: a value makes no sense or changes nothing, or there is no password for the user.
    """
    index = LiveIndex(Target(url, username, password))
    load = load_parameters(options, stack_file={})
    if load.wheel_kb is not None and not load.workload.shape.uploads:
        raise UsageError(
            f"--wheel-kb {load.wheel_kb} changes nothing: the index has its wheels, and the workload "
            f"{load.workload.name} uploads none"
        )
    return Cycle(index, load)
