"""What a run is asked to do, from options, environment, stack file and defaults, in this order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.failures import UsageError
from bench.report.model import Scalar
from bench.thresholds import Threshold, parse_override, thresholds_for
from bench.workloads import Rate, Workload, with_options, workload_named

PACKAGES = 100


@dataclass(frozen=True)
class LoadParameters:
    """What to send, and how it is judged."""

    workload: Workload
    packages: int
    seed: int
    cookies: Literal["none", "shared"]
    thresholds: tuple[Threshold, ...]

    def as_dict(self) -> dict[str, Scalar | list[Scalar]]:
        """What shapes the load beside the number of clients and packages, for the report."""
        load = self.workload.load
        return {
            "duration_s": load.duration_s,
            "burst_interval_s": load.burst_interval_s,
            "burst_multiplier": load.burst_multiplier if isinstance(load, Rate) else None,
            "requests_per_min": load.requests_per_min if isinstance(load, Rate) else None,
            "cookies": self.cookies,
        }


@dataclass(frozen=True)
class Asked:
    """What the command line or the environment says of a load; None where neither does.

    The field names are the keys of the `bench:` namespace in a stack file, where the same can be said.
    """

    workload: str | None = None
    packages: int | None = None
    clients: int | None = None
    duration_s: float | None = None
    burst_interval_s: float | None = None
    burst_multiplier: float | None = None
    speed: float | None = None
    seed: int | None = None
    cookies: Literal["none", "shared"] | None = None
    thresholds: Sequence[str] = ()


def load_parameters(asked: Asked, stack_file: Mapping[str, str]) -> LoadParameters:
    """What to send: the options or the environment, else the stack file's `bench:` values, else the defaults.

    Args:
        stack_file: values of the `bench:` namespace, by key without namespace.

    Raises:
        UsageError: a value makes no sense, or a key of the stack file is unknown.
    """
    for key in stack_file:
        if key not in _KINDS:
            raise UsageError(f"bench:{key} in the stack file is not known: take one of {', '.join(_KINDS)}")
    values = {name: _either(name, getattr(asked, name), stack_file) for name in _KINDS}
    workload = with_options(
        workload_named(values["workload"] or "burst"),
        clients=values["clients"],
        duration_s=values["duration_s"],
        burst_interval_s=values["burst_interval_s"],
        burst_multiplier=values["burst_multiplier"],
        speed=values["speed"],
    )
    packages = PACKAGES if values["packages"] is None else values["packages"]
    if packages < 1:
        raise UsageError(f"--packages {packages}: at least 1 package is needed")
    return LoadParameters(
        workload=workload,
        packages=packages,
        seed=values["seed"] or 0,
        cookies=values["cookies"] or "none",
        thresholds=thresholds_for(workload, [parse_override(text) for text in asked.thresholds]),
    )


def _cookies(text: str) -> str:
    if text not in ("none", "shared"):
        raise ValueError
    return text


_KINDS: Mapping[str, Any] = {
    "workload": str,
    "packages": int,
    "clients": int,
    "duration_s": float,
    "burst_interval_s": float,
    "burst_multiplier": float,
    "speed": float,
    "seed": int,
    "cookies": _cookies,
}


def _either(name: str, asked: Any, stack_file: Mapping[str, str]) -> Any:
    if asked is not None or name not in stack_file:
        return asked
    try:
        return _KINDS[name](stack_file[name])
    except ValueError:
        raise UsageError(f"bench:{name} in the stack file is {stack_file[name]!r}, which is not of its kind") from None


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
