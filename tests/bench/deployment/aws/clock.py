"""A clock for waits that take minutes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class WaitingClock:
    """A clock that only sleeping moves on."""

    now_s: float = 0.0
    at_each_sleep: Callable[[float], object] = lambda _: None

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, duration_s: float) -> None:
        self.now_s += duration_s
        self.at_each_sleep(self.now_s)
