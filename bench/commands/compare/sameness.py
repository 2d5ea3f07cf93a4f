"""Differences between runs, and the refusal to compare runs that must be equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.common.failures import IncomparableError


def difference_sentences(
    first_name: str, first: Mapping[str, Any], other_name: str, other: Mapping[str, Any]
) -> list[str]:
    """A sentence with both values for each field in which two nested mappings differ."""
    one, two = dict(_fields("", first)), dict(_fields("", other))
    return [
        f"{path} is {_spelled(one.get(path))} in {first_name} and {_spelled(two.get(path))} in {other_name}"
        for path in dict.fromkeys((*one, *two))
        if one.get(path) != two.get(path)
    ]


def require_equal(first_name: str, first: Mapping[str, Any], other_name: str, other: Mapping[str, Any]) -> None:
    """Refuse to compare what differs.

    Raises:
        IncomparableError: something does; the message names each field with both values.
    """
    if differing := difference_sentences(first_name, first, other_name, other):
        raise IncomparableError(f"{other_name} cannot be compared with {first_name}: {'; '.join(differing)}")


def _fields(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _fields(f"{path}.{key}" if path else str(key), part)
    else:
        yield path, value


def _spelled(value: Any) -> str:
    return "not set" if value is None else str(value)
