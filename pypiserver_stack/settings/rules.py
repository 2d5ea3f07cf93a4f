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


def cautions_between_groups(settings: Settings) -> Iterator[str]:
    """What only several groups together show: allowed, and should be known."""
    for caution in CAUTIONS:
        yield from caution(settings)


def _server_hangs_up_first(settings: Settings) -> Iterator[str]:
    if settings.gunicorn_keepalive_s <= settings.idle_timeout_s:
        yield (
            f"gunicorn_keepalive_s = {settings.gunicorn_keepalive_s} is not above idle_timeout_s = "
            f"{settings.idle_timeout_s}: the balancer answers 502 when it reuses a connection that a task just closed"
        )


RULES: tuple[Callable[[Settings], Iterator[Problem]], ...] = ()
CAUTIONS: tuple[Callable[[Settings], Iterator[str]], ...] = (_server_hangs_up_first,)
