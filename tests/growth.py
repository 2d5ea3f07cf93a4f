"""How the time that a function takes grows with its input."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import TypeVar

Input = TypeVar("Input")

MORE = 4
"""How many times as large the larger input is."""
LINEAR = 8.0
"""Below this growth: a linear function has 4, a quadratic one 16."""
_ROUNDS = 7


def growth(call: Callable[[Input], object], make: Callable[[int], Input], size: int) -> float:
    """How many times as much CPU time an input takes that is `MORE` times as large as `size`; the least of several."""
    inputs = [make(factor * size) for factor in (1, MORE)]
    # In turn, so that a slow moment of the machine falls on both.
    rounds = [(_cpu_s(call, inputs[0]), _cpu_s(call, inputs[1])) for _ in range(_ROUNDS)]
    return min(large_s for _, large_s in rounds) / min(small_s for small_s, _ in rounds)


def _cpu_s(call: Callable[[Input], object], given: Input) -> float:
    started_s = process_time()
    call(given)
    return process_time() - started_s
