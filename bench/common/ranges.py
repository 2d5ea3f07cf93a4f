"""Numbers with both bounds, as types of command-line options; environment variables and stack files share them."""

from __future__ import annotations

from typing import Any

import click


def spelling(name: str) -> str:
    """The command-line option of a parameter: `--burst-interval` of `burst_interval_s`."""
    return "--" + name.removesuffix("_s").replace("_", "-")


class Whole(click.IntRange):
    """A whole number within bounds."""

    name = "integer"

    def __init__(self, least: int, most: int) -> None:
        super().__init__(least, most)
        self._takes = f"a whole number from {least:,} to {most:,}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            raise click.BadParameter(f"{value} is not {self._takes}", ctx, param) from None


class Number(click.FloatRange):
    """A number within bounds, which neither infinity nor "not a number" is."""

    name = "number"

    def __init__(self, least: float, most: float) -> None:
        super().__init__(least, most)
        self._least, self._most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            number = super().convert(value, param, ctx)
        except click.BadParameter:
            number = float("nan")
        if self._least <= number <= self._most:
            return number
        raise click.BadParameter(f"{value} is not a number from {self._least:,} to {self._most:,}", ctx, param)
