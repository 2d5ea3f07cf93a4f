"""Type of a cron expression of AWS: six fields, with the day of the month or the day of the week."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import WithJsonSchema

from pypiserver_stack.settings.types import only

_EXPRESSION = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", re.ASCII)


class _Field:
    """One field: which numbers and names it takes, and what else."""

    def __init__(self, first: int, last: int, names: Sequence[str] = (), also: str = r"(?!)") -> None:
        """
        Args:
            names: of `first` and the numbers after it.
            also: pattern of what only this field takes; its groups are values.
        """
        self._first, self._last = first, last
        self._names = names
        self._also = re.compile(also, re.ASCII)

    def takes(self, text: str) -> bool:
        """Whether the text is a list of values, ranges and steps of this field."""
        return all(self._takes_item(item) for item in text.upper().split(","))

    def _takes_item(self, item: str) -> bool:
        if found := self._also.fullmatch(item):
            return all(self._is_value(value) for value in found.groups() if value is not None)
        values, slash, step = item.partition("/")
        if slash and not (_is_number(step) and 1 <= int(step) <= self._last):
            return False
        return values == "*" or all(self._is_value(value) for value in values.split("-", 1))

    def _is_value(self, text: str) -> bool:
        return text in self._names or (_is_number(text) and self._first <= int(text) <= self._last)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


_FIELDS = (
    _Field(0, 59),
    _Field(0, 23),
    _Field(1, 31, also=r"LW?|(\d+)W"),
    _Field(1, 12, ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")),
    _Field(1, 7, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), also=r"L|(\w+?)L|(\w+)#[1-5]"),
    _Field(1970, 2199),
)
_DAYS = (2, 4)


def is_cron(text: str) -> bool:
    """Whether AWS takes the text as a cron expression."""
    found = _EXPRESSION.fullmatch(text)
    if not found:
        return False
    fields = found.groups()
    unspecified = [index for index in _DAYS if fields[index] == "?"]
    return len(unspecified) == 1 and all(
        _FIELDS[index].takes(field) for index, field in enumerate(fields) if index not in unspecified
    )


CronExpression = Annotated[
    str,
    only(is_cron),
    WithJsonSchema(
        {
            "type": "string",
            "takes": (
                "cron(MINUTES HOURS DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR) in UTC, one of the two days a question mark, "
                "such as cron(0 2 * * ? *)"
            ),
        }
    ),
]
