"""Parameters of a load: from the options, the environment, a stack file and the defaults, in this order."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import click

from bench.commands.options import LIMITS, LOAD_OPTIONS, LOADERS, SHAPE_OPTIONS, THRESHOLD, with_options
from bench.common.cores import usable_cores
from bench.common.failures import UsageError
from bench.load.health import default_processes
from bench.load.parameters import LoadParameters
from bench.load.thresholds import thresholds_for
from bench.load.workloads import WORKLOADS
from bench.load.workloads import with_options as shaped

Options = Mapping[str, Any]
"""Options of the load that the command line has, with their values by name."""


def given_options() -> Options:
    """The options of the load that the command line of this command has, with their values."""
    context = click.get_current_context()
    return {
        option.name: context.params[option.name]
        for option in (*LOAD_OPTIONS, LIMITS, THRESHOLD, LOADERS)
        if context.get_parameter_source(option.name) is click.core.ParameterSource.COMMANDLINE
    }


def load_parameters(options: Options, stack_file: Mapping[str, str]) -> LoadParameters:
    """The load to send. A value comes from the options, else the environment, else the stack file, else the defaults.

    An option that changes nothing in the workload is refused. The environment and the stack file hold values for every
    workload; those that change nothing are ignored.

    Args:
        stack_file: values of the `bench:` namespace, by key without namespace.

    Raises:
        UsageError: a value makes no sense, or a key of the stack file is unknown.
    """
    values = _values(options, stack_file)
    workload = WORKLOADS[values["workload"]]
    ignored = workload.shape.inapplicable.keys() - options.keys()
    changes = {option.name: values[option.name] for option in SHAPE_OPTIONS if option.name not in ignored}
    workload = shaped(workload, **{name: value for name, value in changes.items() if value is not None})
    cookies, generators, loaders = values["cookies"], values["generators"], options.get("loaders")
    if loaders is not None:
        _refuse_with_loaders(loaders, options, cookies)
        generators = loaders if isinstance(loaders, int) else 0
    elif generators is None:
        generators = default_processes(workload.shape.clients, cookies, usable_cores())
    elif generators > 1 and cookies == "shared":
        raise UsageError(
            f"--generators {generators}: one cookie jar for all clients needs one process, or --cookies none"
        )
    return LoadParameters(
        workload=workload,
        packages=values["packages"],
        wheel_kb=values["wheel_kb"],
        seed=values["seed"],
        cookies=cookies,
        generators=generators,
        thresholds=thresholds_for(workload, options.get("thresholds", ())),
        loaders=loaders,
    )


def _refuse_with_loaders(loaders: int | str, options: Options, cookies: str) -> None:
    if "generators" in options:
        raise UsageError(
            f"--generators {options['generators']} with --loaders {loaders}: each loader is one process; leave one of "
            "the two options out"
        )
    if cookies == "shared":
        raise UsageError(
            f"--loaders {loaders} with --cookies shared: one cookie jar for all clients needs one process; leave "
            "--loaders out, or use --cookies none"
        )


def enforces_limits(options: Options, stack_file: Mapping[str, str]) -> bool:
    """Whether the tasks get limits: by the option, else the stack file's `bench:limits`, else they do."""
    return bool(_values(options, stack_file)["limits"] == "auto")


@with_options(*LOAD_OPTIONS, LIMITS)
@click.command
def _every_option() -> None:
    """All that a stack file may set. Never run: click finds the value of each."""


def _values(options: Options, stack_file: Mapping[str, str]) -> dict[str, Any]:
    names = [option.name for option in _every_option.params]
    for key in stack_file:
        if key not in names:
            nearest = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean bench:{nearest[0]}?" if nearest else f"the keys are {', '.join(names)}"
            raise UsageError(f"bench:{key}: there is no such parameter; {hint}")
    words = [f"{option.opts[0]}={options[option.name]}" for option in _every_option.params if option.name in options]
    try:
        return _every_option.make_context("bench", words, default_map=dict(stack_file)).params
    except click.UsageError as error:
        raise UsageError(error.format_message()) from None
