"""Counts in words."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """A number of things, such as `1 task` and `1,200 tasks`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
