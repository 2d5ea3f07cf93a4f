"""Removal in parts, each whatever became of the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.common.failures import BenchError


def leftovers_of(*removals: Callable[[], Sequence[str]]) -> tuple[str, ...]:
    """Call each removal, which returns in words what remains; an exception counts as a leftover. Does not raise."""
    leftovers: list[str] = []
    for remove in removals:
        try:
            leftovers += remove()
        except BenchError as error:
            leftovers.append(str(error))
        except Exception as error:
            leftovers.append(f"{type(error).__name__}: {error}")
    return tuple(leftovers)
