"""Order of names that hold numbers."""

from __future__ import annotations

import re


def natural_order(name: str) -> list[tuple[int, str]]:
    """A sort key by which `task-2` comes before `task-10`."""
    parts = re.split(r"(\d+)", name)  # every second one is a number
    return [(len(part.lstrip("0")) if position % 2 else 0, part) for position, part in enumerate(parts)]
