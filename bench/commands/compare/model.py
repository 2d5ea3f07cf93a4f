"""Model of a comparison, from which its JSON, its schema and its layout follow."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bench.common.model_part import Count, ModelPart, Positive
from bench.deployment.description import Plan, Stack
from bench.report.model import WorkloadInfo
from bench.report.outcome import Outcome


class Interval(ModelPart):
    """Interval in which a figure lies, with 95 % confidence."""

    low: float
    high: float


class Change(ModelPart):
    """A variant against the first one."""

    kind: Literal["ratio", "difference"] = Field(description="Of shares the difference, of all else the ratio.")
    value: float
    interval: Interval | None = Field(description="Rounds are drawn with both variants: they share its conditions.")


class MeasuredFigure(ModelPart):
    """One figure of one variant, over all of its rounds."""

    value: float | None = Field(description="Null where nothing measured it.")
    interval: Interval | None = Field(description="Null where there are too few rounds, or no samples, to tell.")
    change: Change | None = Field(description="Null for the first variant, and where either has no value above 0.")


class ComparedVariant(ModelPart):
    """One side of a comparison."""

    name: str
    report: str | None = Field(description="The run id of the report that it is; null for what this run measured.")
    stack: Stack | None = Field(description="Null for an index that was not deployed, and for the limit.")
    settings: dict[str, str] = Field(description="What the stack file and the overrides set; empty under a report.")
    plan: Plan | None
    tasks_run: Count | None
    rounds: Count = Field(description="How many were measured.")
    requests: Count = Field(description="In all rounds.")
    failed: Count
    per_task: dict[str, int] = Field(description="Requests of each task, those that had none included.")
    notes: list[str] = Field(description="Sentences: in what it is not like the others.")


class Judged(ModelPart):
    """One figure of one variant, judged against the first variant."""

    figure: str
    variant: str
    regressed: bool
    worse_by: float | None = Field(description="Relative to the first: 0.1 is 10 % worse; null where that is 0.")
    worse_by_amount: float = Field(description="In the figure's own unit; below 0 where it is better.")
    interval_agrees: bool = Field(
        description="The whole interval of the change, at the confidence of the gate, lies on the worse side."
    )


class Gate(ModelPart):
    """Result of `--fail-on-regression`. A regression is worse by both limits, and by its interval."""

    least_change: float = Field(ge=0, description="Relative: 0.1 is 10 %.")
    latency_floor_s: float = Field(ge=0, description="Smaller changes of latency are none, however large relatively.")
    confidence: float = Field(
        gt=0,
        lt=1,
        description="Of each interval that was judged: above 95 %, so that all together give few false alarms.",
    )
    judged: list[Judged]


class Comparison(Outcome):
    """Variants of a stack, or reports, held against the first of them."""

    workload: WorkloadInfo | None = Field(description="One round of it.")
    rounds: Count = Field(description="Of every variant; a round that not all got through is left out.")
    warm_up_rounds: Count = Field(description="Of every variant, before the first that counts.")
    intervals_of: Literal["rounds and requests", "requests"] = Field(
        description="`requests`: the intervals do not say how one round, or run, differs from the next."
    )
    resamples: Positive
    variants: list[ComparedVariant]
    differing: list[str] = Field(description="Sentences: in what the variants were set up differently.")
    figures: dict[str, dict[str, MeasuredFigure]] = Field(description="By figure and variant; names carry units.")
    gate: Gate | None = Field(description="Null without --fail-on-regression.")

    @property
    def success(self) -> str:
        return "passed" if self.gate is not None else "compared; nothing was judged"
