"""Text of figures in findings."""

from __future__ import annotations


def percent(share: float) -> str:
    """A share as a percentage: whole, below 10 % with a decimal."""
    return f"{share * 100:.0f} %" if share >= 0.0995 or share == 0 else f"{share * 100:.1f} %"


def duration(seconds: float) -> str:
    """A time in milliseconds below a second, else in seconds."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1e3:.0f} ms" if seconds >= 0.01 else f"{seconds * 1e3:.2f} ms"
