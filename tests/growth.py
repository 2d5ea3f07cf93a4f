"""How the time that a function takes grows with its input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import process_time
from typing import TypeVar

Input = TypeVar("Input")

MORE = 8
"""How many times as large the larger input is."""
LINEAR = 3.0
"""Below this growth: a linear function has 1, a quadratic one 8."""
_ROUNDS = 5


def growth(call: Callable[[Input], object], make: Callable[[int], Input], size: int) -> float:
    """The CPU time of an input `MORE` times as large as `size`, in that of `MORE` inputs of `size`; least of several.

    A linear function takes as long for both, so that a slow moment of the machine is as likely in one as in the other.
    """
    small, large = [make(size)] * MORE, [make(MORE * size)]
    rounds = [(_cpu_s(call, small), _cpu_s(call, large)) for _ in range(_ROUNDS)]
    return min(large_s for _, large_s in rounds) / min(small_s for small_s, _ in rounds)


def _cpu_s(call: Callable[[Input], object], inputs: Sequence[Input]) -> float:
    started_s = process_time()
    for given in inputs:
        call(given)
    return process_time() - started_s
