"""What settings of different groups say against each other. What one group can tell by itself stands in its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pypiserver_stack.settings.problems import Problem

if TYPE_CHECKING:
    from pypiserver_stack.settings.settings import Settings


def contradictions_between_groups(settings: Settings) -> Iterator[Problem]:
    """Every mistake that only several groups together show."""
    for rule in RULES:
        yield from rule(settings)


RULES: tuple[Callable[[Settings], Iterator[Problem]], ...] = ()
