"""Taking down, each part whatever became of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bench.report.outcome import Teardown


def take_down(parts: Iterable[Callable[[], list[str]]]) -> Teardown:
    """Call each of `parts`, which takes something down and returns what remains of it in words. Never raises."""
    leftovers: list[str] = []
    for part in parts:
        try:
            leftovers += part()
        except Exception as error:
            leftovers.append(f"{type(error).__name__}: {error}")
    return Teardown(complete=not leftovers, leftovers=leftovers)
