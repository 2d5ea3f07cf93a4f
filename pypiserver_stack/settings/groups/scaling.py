"""Settings of scaling and of deployments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Self
from zoneinfo import available_timezones

from pydantic import Field, model_validator

from pypiserver_stack.settings.cron import is_cron
from pypiserver_stack.settings.problems import Caution, Problem
from pypiserver_stack.settings.types import LISTED, Count, Group, ListEntry, only

Percent = Annotated[int, Field(ge=10, le=90)]
CooldownSeconds = Annotated[int, Field(ge=0, le=3600)]

_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)", re.ASCII)
_RATE = re.compile(r"rate\((1 (minute|hour|day)|(?!0|1 )\d+ (minutes|hours|days))\)", re.ASCII)


def _is_schedule(text: str) -> bool:
    if at := _AT.fullmatch(text):
        return bool(datetime.fromisoformat(at[1]))  # a ValueError where there is no such moment
    return _RATE.fullmatch(text) is not None or is_cron(text)


def _is_timezone(text: str) -> bool:
    known = available_timezones()  # empty on a machine without the database
    return not known or text in known


class ScheduledScaling(ListEntry):
    """Bounds of the number of tasks from a point in time on."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")]
    schedule: Annotated[str, only(_is_schedule)] = Field(
        json_schema_extra={
            "takes": "`cron(0 8 ? * MON-FRI *)`, with ? for the day of the month or of the week, "
            "`at(2030-01-31T08:00:00)` or `rate(2 hours)`"
        }
    )
    timezone: Annotated[str, only(_is_timezone)] = Field(
        default="UTC", json_schema_extra={"takes": "a name of the IANA database, such as Europe/Berlin"}
    )
    task_min_count: Count | None = None
    task_max_count: Count | None = None

    @model_validator(mode="after")
    def _sets_something(self) -> Self:
        low, high = self.task_min_count, self.task_max_count
        if (low is None and high is None) or (low is not None and high is not None and low > high):
            raise ValueError(self.name)
        return self


class ScalingSettings(Group):
    """Scaling and deployment."""

    scaling_cpu_percent: Percent = 60
    """CPU use of the service, in percent of what its tasks reserve, that scaling holds."""
    scaling_requests_per_task_per_min: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Requests per task and minute that scaling holds; none: what a task answers in a minute depends on the packages,
    so measure it first."""
    scaling_memory_percent: Percent | None = None
    """Memory use of the service, in percent of the reservation, that scaling holds; none: a worker keeps what it once
    had, so memory does not follow load, and sizing by memory and CPU leaves room."""
    scale_out_cooldown_s: CooldownSeconds = 60
    """Seconds after an addition of tasks before the next one."""
    scale_in_cooldown_s: CooldownSeconds = 300
    """Seconds after a removal of tasks before the next one."""
    scheduled_scaling: Annotated[tuple[ScheduledScaling, ...], LISTED] = Field(
        default=(),
        json_schema_extra={
            "takes": "a JSON list of objects with name (1 to 32 lower-case letters, digits and hyphens), schedule "
            "(`cron(0 8 ? * MON-FRI *)`, with ? for the day of the month or of the week, `at(2030-01-31T08:00:00)` or "
            "`rate(2 hours)`), timezone (of the IANA database, such as Europe/Berlin; UTC if left out), and "
            "task_min_count, task_max_count or both, the former not above the latter"
        },
    )
    """Changes of the fewest and the most tasks at known times, for peaks that are known."""
    # At the most tasks the instances may be full: then old ones have to make room for new ones, or a deployment would
    # wait for ever. While there is room, new ones start first all the same.
    deployment_minimum_healthy_percent: Annotated[int, Field(ge=0, le=100)] = 50
    """Percent of the desired tasks that serve at every moment of a deployment."""
    deployment_maximum_percent: Annotated[int, Field(ge=100, le=200)] = 200
    """Percent of the desired tasks that may run at any moment of a deployment."""
    health_check_grace_period_s: Annotated[int, Field(ge=0, le=3600)] = 60
    """Seconds after its start for which a task is kept although the balancer finds it unhealthy."""
    wait_for_steady_state: bool = True
    """An update ends when its deployment has, and fails when that was rolled back."""

    def contradictions(self) -> Iterator[Problem]:
        """Names that two actions have."""
        counts = Counter(action.name for action in self.scheduled_scaling)
        for name in (name for name, count in counts.items() if count > 1):
            yield Problem("scheduled_scaling", name, "a name of one action only")

    def cautions(self) -> Iterator[Caution]:
        """A service that would not come back from its only change."""
        if len(self.scheduled_scaling) == 1:
            (action,) = self.scheduled_scaling
            sentence = f"scheduled_scaling: what {action.name} sets holds until another action sets something else"
            yield Caution(sentence, "operation")
