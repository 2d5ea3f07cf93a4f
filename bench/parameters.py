"""What a run is asked to do, from options, environment, stack file and defaults, in this order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.failures import UsageError
from bench.generator import MOST_PROCESSES, usual_processes
from bench.packages import MOST_PACKAGES, PackageSet
from bench.report.machine import usable_cores
from bench.report.model import Scalar
from bench.thresholds import Threshold, parse_override, thresholds_for
from bench.workloads import Rate, Workload, why_not, with_options, workload_named

PACKAGES = 100
MOST_WHEEL_KB = 10_240


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
        load = self.workload.load
        return {
            "duration_s": load.duration_s,
            "burst_interval_s": load.burst_interval_s,
            "burst_multiplier": load.burst_multiplier if isinstance(load, Rate) else None,
            "requests_per_min": load.requests_per_min if isinstance(load, Rate) else None,
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
    thresholds: Sequence[str] = ()


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

    An option that has nothing to change in the workload is refused. What stands in the environment or in the stack file
    is there for every workload, and is left aside where it has nothing to change.

    Args:
        stack_file: values of the `bench:` namespace, by key without namespace.

    Raises:
        UsageError: a value makes no sense, or a key of the stack file is unknown.
    """
    standing = {**_from_stack_file(stack_file), **_from_environment(environment)}
    options = {name: value for name in _KINDS if (value := getattr(asked, name)) is not None}
    workload = workload_named(options.get("workload", standing.get("workload", "burst")))
    standing = {name: value for name, value in standing.items() if why_not(workload, name) is None}
    values = {**standing, **options}
    packages = values.get("packages", PACKAGES)
    if not 1 <= packages <= MOST_PACKAGES:
        raise UsageError(f"--packages {packages}: at least 1 package is needed, and {MOST_PACKAGES} are the most")
    wheel_kb = values.get("wheel_kb")
    if wheel_kb is not None and not 1 <= wheel_kb <= MOST_WHEEL_KB:
        raise UsageError(f"--wheel-kb {wheel_kb}: at least 1 KB is needed, and {MOST_WHEEL_KB} are the most")
    seed = values.get("seed", 0)
    if seed < 0:
        raise UsageError(f"--seed {seed}: a seed is 0 or more")
    shaped = with_options(workload, **{name: values[name] for name in _SHAPE if name in values})
    cookies = values.get("cookies", "none")
    return LoadParameters(
        workload=shaped,
        packages=packages,
        wheel_kb=wheel_kb,
        seed=seed,
        cookies=cookies,
        generators=_generators(values.get("generators"), shaped, cookies),
        thresholds=thresholds_for(shaped, [parse_override(text) for text in asked.thresholds]),
    )


def _generators(asked: int | None, workload: Workload, cookies: Literal["none", "shared"]) -> int:
    if asked is None:
        return usual_processes(workload.clients, cookies, usable_cores())
    if not 1 <= asked <= MOST_PROCESSES:
        raise UsageError(f"--generators {asked}: at least 1 process is needed, and {MOST_PROCESSES} are the most")
    if asked > 1 and cookies == "shared":
        raise UsageError(f"--generators {asked}: one cookie jar for all clients needs one process, or --cookies none")
    return asked


def _cookies(text: str) -> str:
    if text not in ("none", "shared"):
        raise ValueError
    return text


_KINDS: Mapping[str, Callable[[str], Any]] = {
    "workload": str,
    "packages": int,
    "wheel_kb": int,
    "clients": int,
    "duration_s": float,
    "burst_interval_s": float,
    "burst_multiplier": float,
    "speed": float,
    "seed": int,
    "cookies": _cookies,
    "generators": int,
}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    set_ones = {name: variable for name, variable in VARIABLES.items() if environment.get(variable)}
    return {name: _value(name, environment[variable], variable) for name, variable in set_ones.items()}


def _from_stack_file(stack_file: Mapping[str, str]) -> dict[str, Any]:
    for key in stack_file:
        if key not in _KINDS:
            raise UsageError(f"bench:{key} in the stack file is not known: take one of {', '.join(_KINDS)}")
    return {name: _value(name, text, f"bench:{name} in the stack file") for name, text in stack_file.items()}


def _value(name: str, text: str, source: str) -> Any:
    try:
        return _KINDS[name](text)
    except ValueError:
        kind = {int: "a whole number", float: "a number"}.get(_KINDS[name], "none or shared")  # type: ignore[call-overload]
        raise UsageError(f"{source} is {text!r}: it must be {kind}") from None


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


@dataclass(frozen=True)
class IndexParameters:
    """What `python -m bench load` is asked to do."""

    url: str
    username: str
    password: str = field(repr=False)
    asked: Asked
