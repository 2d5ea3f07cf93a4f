"""What settings of different groups say against each other. What one group can tell by itself stands in its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pypiserver_stack.settings.hosts import BURSTABLE
from pypiserver_stack.settings.problems import Problem

if TYPE_CHECKING:
    from pypiserver_stack.settings.settings import Settings


def contradictions_between_groups(settings: Settings) -> Iterator[Problem]:
    """Every mistake that only several groups together show."""
    for rule in RULES:
        yield from rule(settings)


def credits_are_of_burstable_instances(settings: Settings) -> Iterator[Problem]:
    """AWS launches no instance with a credit specification that its type cannot have."""
    if settings.cpu_credits is not None and not BURSTABLE.match(settings.instance_type):
        allowed = f"not set, for instance_type {settings.instance_type} has no CPU credits"
        yield Problem("cpu_credits", settings.cpu_credits, allowed, frozenset(["instance_type"]))


def some_instances_are_spot(settings: Settings) -> Iterator[Problem]:
    """Spot that only the base would use."""
    most = settings.instance_max_count
    if settings.spot_enabled and most is not None and settings.spot_on_demand_base_count >= most:
        allowed = f"below instance_max_count, which is {most}, or no instance would be a Spot one"
        others = frozenset(["spot_enabled", "instance_max_count"])
        yield Problem("spot_on_demand_base_count", settings.spot_on_demand_base_count, allowed, others)


RULES: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    credits_are_of_burstable_instances,
    some_instances_are_spot,
)
