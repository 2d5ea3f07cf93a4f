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


def _two_passwords(settings: Settings) -> Iterator[Problem]:
    """Only our own check knows more than one generated password."""
    if len(settings.password_generations) > 1 and settings.authentication != "sha256":
        yield Problem(
            "password_generations",
            list(settings.password_generations),
            f"two are accepted with authentication sha256 only, which is {settings.authentication}",
            frozenset(["authentication"]),
        )


RULES: tuple[Callable[[Settings], Iterator[Problem]], ...] = (_two_passwords,)
