"""What a run is asked to do, from options, environment, stack file and defaults, in this order."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import click

from bench.common.cores import usable_cores
from bench.common.failures import UsageError
from bench.common.ranges import Number, Whole
from bench.load.health import MOST_PROCESSES, usual_processes
from bench.load.thresholds import Threshold, thresholds_for
from bench.load.workloads import MAX_CLIENTS, WORKLOADS, Workload, with_options
from bench.packages.factory import MOST_PACKAGES, PackageSet

if TYPE_CHECKING:
    from bench.report.model import Scalar

LimitsMode = Literal["auto", "off"]
"""`auto`: the limits that ECS and the instances set are enforced on the tasks of a local run where that is possible."""
LIMITS = click.Choice(["auto", "off"])

PACKAGES = 100

# What each parameter takes, whether an option, the environment or a stack file gives it.
TYPES: Mapping[str, click.ParamType[Any]] = {
    "workload": click.Choice(list(WORKLOADS)),
    "packages": Whole(1, MOST_PACKAGES),
    "wheel_kb": Whole(1, 10_240),
    "clients": Whole(1, MAX_CLIENTS),
    "duration_s": Number(0.1, 7 * 86_400),
    "burst_interval_s": Number(0.1, 86_400),
    "burst_multiplier": Number(1, 1_000),
    "speed": Number(0.1, 10_000),
    "seed": Whole(0, 2**32 - 1),
    "cookies": click.Choice(["none", "shared"]),
    "generators": Whole(1, MOST_PROCESSES),
}


@dataclass(frozen=True)
class LoadParameters:
    """What to send, and how it is judged."""

    workload: Workload
    packages: int
    wheel_kb: int | None
    """What each wheel carries; None: from 1 KB to 5 MB."""
    seed: int
    cookies: Literal["none", "shared"]
    generators: int
    """How many processes send it."""
    thresholds: tuple[Threshold, ...]

    @property
    def package_set(self) -> PackageSet:
        """What the index is filled with."""
        return PackageSet(packages=self.packages, seed=self.seed, **self._sizes)

    def upload_set(self, wheels: int) -> PackageSet:
        """As many new wheels, for the clients to upload."""
        return PackageSet(
            packages=wheels, versions=("1.0.0",), seed=self.seed, name_prefix="test-upload", **self._sizes
        )

    @property
    def _sizes(self) -> dict[str, Any]:
        return {} if self.wheel_kb is None else {"min_bytes": self.wheel_kb * 1024, "max_bytes": self.wheel_kb * 1024}

    def as_dict(self) -> dict[str, Scalar | list[Scalar]]:
        """What shapes the load beside the number of clients and packages, for the report."""
        shape = self.workload.shape
        return {
            "duration_s": shape.duration_s,
            "burst_interval_s": shape.burst_interval_s,
            "burst_multiplier": shape.burst_multiplier,
            "requests_per_min": shape.requests_per_min,
            "wheel_kb": self.wheel_kb,
            "cookies": self.cookies,
            "generators": self.generators,
        }


@dataclass(frozen=True)
class Asked:
    """What the options of a command say of a load; None where they say nothing.

    The field names are the keys of the `bench:` namespace in a stack file, where the same can be said.
    """

    workload: str | None = None
    packages: int | None = None
    wheel_kb: int | None = None
    clients: int | None = None
    duration_s: float | None = None
    burst_interval_s: float | None = None
    burst_multiplier: float | None = None
    speed: float | None = None
    seed: int | None = None
    cookies: Literal["none", "shared"] | None = None
    generators: int | None = None
    thresholds: Sequence[Threshold] = ()


# The plan's parameters as environment variables.
VARIABLES = {
    "packages": "NUM_PACKAGES",
    "clients": "CONCURRENT_CLIENTS",
    "duration_s": "TEST_DURATION_SECONDS",
    "burst_interval_s": "BURST_INTERVAL_SECONDS",
    "burst_multiplier": "BURST_MULTIPLIER",
}
_SHAPE = ("clients", "duration_s", "burst_interval_s", "burst_multiplier", "speed")


def load_parameters(asked: Asked, environment: Mapping[str, str], stack_file: Mapping[str, str]) -> LoadParameters:
    """What to send: the options, else the environment, else the stack file's `bench:` values, else the defaults.

    An option that changes nothing in the workload is refused. The environment and the stack file hold values for every
    workload; those that change nothing are ignored.

    Args:
        stack_file: values of the `bench:` namespace, by key without namespace; `limits`, which is no matter of the
            load, is passed over.

    Raises:
        UsageError: a value makes no sense, or a key of the stack file is unknown.
    """
    standing = {**_from_stack_file(stack_file), **_from_environment(environment)}
    options = {name: value for name in TYPES if (value := getattr(asked, name)) is not None}
    workload = WORKLOADS[options.get("workload", standing.get("workload", "burst"))]
    standing = {name: value for name, value in standing.items() if name not in workload.shape.inapplicable}
    values = {**standing, **options}
    shaped = with_options(workload, **{name: values[name] for name in _SHAPE if name in values})
    cookies = values.get("cookies", "none")
    return LoadParameters(
        workload=shaped,
        packages=values.get("packages", PACKAGES),
        wheel_kb=values.get("wheel_kb"),
        seed=values.get("seed", 0),
        cookies=cookies,
        generators=_generators(values.get("generators"), shaped, cookies),
        thresholds=thresholds_for(shaped, asked.thresholds),
    )


def limits_parameter(asked: LimitsMode | None, stack_file: Mapping[str, str]) -> LimitsMode:
    """Whether the tasks get limits: the option, else the stack file's `bench:limits`, else `auto`.

    Raises:
        UsageError: the stack file has another value.
    """
    if asked is not None:
        return asked
    text = stack_file.get("limits", "auto")
    # YAML makes `false` of a bare `off`.
    limits: LimitsMode = _convert(LIMITS, "off" if text == "false" else text, "bench:limits")
    return limits


def _generators(asked: int | None, workload: Workload, cookies: Literal["none", "shared"]) -> int:
    if asked is None:
        return usual_processes(workload.clients, cookies, usable_cores())
    if asked > 1 and cookies == "shared":
        raise UsageError(f"--generators {asked}: one cookie jar for all clients needs one process, or --cookies none")
    return asked


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    set_ones = {name: variable for name, variable in VARIABLES.items() if environment.get(variable)}
    return {name: _value(name, environment[variable], variable) for name, variable in set_ones.items()}


def _from_stack_file(stack_file: Mapping[str, str]) -> dict[str, Any]:
    of_the_load = {key: text for key, text in stack_file.items() if key != "limits"}
    for key in of_the_load:
        if key not in TYPES:
            nearest = difflib.get_close_matches(key, [*TYPES, "limits"], n=1)
            hint = f"did you mean bench:{nearest[0]}?" if nearest else f"the keys are {', '.join(TYPES)}, limits"
            raise UsageError(f"bench:{key}: there is no such parameter; {hint}")
    return {name: _value(name, text, f"bench:{name}") for name, text in of_the_load.items()}


def _value(name: str, text: str, source: str) -> Any:
    return _convert(TYPES[name], text, source)


def _convert(type_: click.ParamType[Any], text: str, source: str) -> Any:
    try:
        return type_.convert(text, None, None)
    except click.BadParameter as error:
        raise UsageError(f"{source}: {error.message}") from None


@dataclass(frozen=True)
class RunParameters:
    """What `python -m bench run` is asked to do."""

    stack: str
    engine: Literal["auto", "pulumi", "embedded"]
    overrides: tuple[str, ...]
    """`key=value`, as `pulumi config set` would take them."""
    tasks: int | None
    """None: as many as this machine can run honestly."""
    keep: bool
    asked: Asked
    limits: LimitsMode | None = None
    """None: what the stack file says, else `auto`."""


@dataclass(frozen=True)
class IndexParameters:
    """What `python -m bench load` is asked to do."""

    url: str
    username: str
    password: str = field(repr=False)
    asked: Asked
