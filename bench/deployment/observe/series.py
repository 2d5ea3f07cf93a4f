"""Series of measurements of tasks, instances, file system and balancer during a load, wherever they come from."""

from __future__ import annotations

from pydantic import Field, model_validator

from bench.common.model_part import ModelPart


class Series(ModelPart):
    """One metric of one subject over time, or the reason why there is none.

    Values and times are lists of one length. A series without values says why: never a zero in place of nothing.
    """

    metric: str = Field(description="What was measured, such as `task_memory`; one of docs/metrics.md.")
    subject: str = Field(description="What it was measured of: a task, an instance, `service`, `balancer`.")
    source: str = Field(description="Where the values come from, such as `CloudWatch AWS/EFS PercentIOLimit Average`.")
    unit: str = Field(description="Unit of the values, such as `MB`, `%`, `s` or `1/s`.")
    period_s: float = Field(gt=0, description="Time that one value stands for, seconds.")
    unix_s: list[float] = Field(description="Beginning of each period, seconds since 1970 UTC.")
    values: list[float]
    absence: str | None = Field(
        default=None,
        description="Why there are no values: `not published in this mode`, `no permission for X`, `empty after N s`.",
    )

    @model_validator(mode="after")
    def _either_values_or_a_reason(self) -> Series:
        if len(self.values) != len(self.unix_s) or bool(self.values) == (self.absence is not None):
            raise ValueError("a series has as many values as times, or none and the reason why")
        return self
