"""Thresholds of a measurement: a limit for each figure that can have one."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import click
import numpy as np

from bench.common.ranges import Number, Whole
from bench.load.samples import Operation, Samples, percentile
from bench.load.workloads import Workload


@dataclass(frozen=True)
class Threshold:
    """The figure called `name` has to stay below `limit`; where the limit is 0, it has to be 0."""

    name: str
    limit: float


def _error_rate(samples: Samples) -> tuple[float | None, int]:
    return (float(np.mean(samples.failed)) if len(samples) else None), len(samples)


def _status_5xx(samples: Samples) -> tuple[float | None, int]:
    return (float(np.count_nonzero(samples.status >= 500)) if len(samples) else None), len(samples)


def _latency(operation: Operation, percent: float) -> Callable[[Samples], tuple[float | None, int]]:
    def observe(samples: Samples) -> tuple[float | None, int]:
        latency_s = samples.latency_s[samples.operation == operation]
        return percentile(latency_s, percent), len(latency_s)

    return observe


# Each figure that can have a limit: what was observed, and on how many requests it stands.
FIGURES: Mapping[str, Callable[[Samples], tuple[float | None, int]]] = {
    **{
        f"{operation.name.lower()}_p{percent}_s": _latency(operation, percent)
        for operation in Operation
        for percent in (50, 95, 99)
    },
    "error_rate": _error_rate,
    "status_5xx": _status_5xx,
}

DEFAULTS: Mapping[str, float] = {"listing_p95_s": 2.0, "download_p95_s": 5.0, "error_rate": 0.01, "status_5xx": 0.0}


def thresholds_for(workload: Workload, overrides: Iterable[Threshold] = ()) -> tuple[Threshold, ...]:
    """The defaults, changed by what the workload says, changed by `overrides`."""
    limits: dict[str, float | None] = {**DEFAULTS, **workload.thresholds}
    limits |= {override.name: override.limit for override in overrides}
    return tuple(Threshold(name, limit) for name, limit in limits.items() if limit is not None)


class Override(click.ParamType[Threshold]):
    """A threshold as the command line gives it: `listing_p95_s=3`."""

    name = "threshold"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Threshold:
        name, _, limit = (part.strip() for part in str(value).partition("="))
        if name not in FIGURES:
            nearest = difflib.get_close_matches(name, FIGURES)
            hint = f"did you mean {' or '.join(nearest)}?" if nearest else f"the figures are {', '.join(FIGURES)}"
            self.fail(f"{value}: there is no figure {name!r}; {hint}", param, ctx)
        numbers, unit, example = _LIMITS[name.rpartition("_")[2]]
        try:
            return Threshold(name, float(numbers.convert(limit, param, ctx)))
        except click.BadParameter as error:
            self.fail(f"{value}: {error.message}, {unit}, such as {name}={example}", param, ctx)


# By the end of a figure's name: the limits that it can have, their unit, and an example.
_LIMITS: Mapping[str, tuple[Number | Whole, str, str]] = {
    "rate": (Number(0, 1), "a share of the requests", "0.05 for 5 %"),
    "s": (Number(0, 86_400), "in seconds", "3"),
    "5xx": (Whole(0, 10**9), "a number of answers", "0"),
}
