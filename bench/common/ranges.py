"""Numbers with both bounds, as types of command-line options; environment variables and stack files share them."""

from __future__ import annotations

import math
from typing import Any

import click


def spelling(name: str) -> str:
    """The command-line option of a parameter: `--burst-interval` of `burst_interval_s`."""
    return "--" + name.removesuffix("_s").replace("_", "-")


class Whole(click.IntRange):
    """A whole number within bounds."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            message = f"{value} is not a whole number from {self.min:,} to {self.max:,}"
            raise click.BadParameter(message, ctx, param) from None


class Number(click.FloatRange):
    """A number within bounds, which neither infinity nor "not a number" is."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = super().convert(value, param, ctx)
        except click.BadParameter:
            number = math.nan
        if math.isnan(number):
            raise click.BadParameter(f"{value} is not a number from {self.min:,} to {self.max:,}", ctx, param)
        return number
