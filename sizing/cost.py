"""AWS cost per month: list prices and billed quantities.

The prices are data, in `data`, with their sources. Who knows the resources makes the lines.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

from sizing.instances import Instance

HOURS_PER_MONTH = 730


@dataclass(frozen=True)
class Price:
    """One price of AWS's list."""

    what: str
    usd: float
    unit: str
    region: str
    source: str
    date: str | None = None
    """The day or the month for which the source says so; None where it says none."""


@dataclass(frozen=True)
class Line:
    """A line of a month's bill."""

    what: str
    quantity: float
    """In the price's unit; of hours, for the whole month."""
    price: Price

    @property
    def usd(self) -> float:
        return self.quantity * self.price.usd


@dataclass(frozen=True)
class Usage:
    """A month's traffic and storage, for the usage-based part of a bill."""

    stored_gb: float = 10
    downloaded_gb: float = 100
    uploaded_gb: float = 1
    request_count: float = 1_000_000


@functools.cache
def prices() -> Mapping[str, Price]:
    """Every price by its name, read only."""
    data = tomllib.loads(files("sizing").joinpath("data", "prices.toml").read_text("utf-8"))
    return MappingProxyType({name: Price(**facts, region=data["region"]) for name, facts in data["prices"].items()})


def instance_price(instance: Instance) -> Price | None:
    """Price of an hour of an instance type; None if unknown."""
    if instance.price_usd_per_hour is None:
        return None
    return Price(
        what=instance.name,
        usd=instance.price_usd_per_hour,
        unit="hour",
        region=instance.price_region or "",
        date=instance.price_date,
        source="https://github.com/aws/karpenter-provider-aws",
    )


def line(name: str, quantity: float, what: str | None = None) -> Line:
    """So much of what has this price."""
    price = prices()[name]
    return Line(what or price.what, quantity, price)


def for_a_month(name: str, count: float, what: str | None = None) -> Line:
    """So many of what is charged by the hour, which stand for the whole month."""
    return line(name, count * HOURS_PER_MONTH, what)


def total_usd(lines: Iterable[Line]) -> float:
    return sum(one.usd for one in lines)
