"""Model of a consistency report, from which its JSON, its schema and its layout follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bench.common.failures import ExitCode
from bench.common.model_part import Count, ModelPart, Positive, Seconds
from bench.deployment.description import Stack
from bench.report.outcome import Outcome


class CheckParameters(ModelPart):
    """Parameters of the check."""

    uploads: Positive
    readers: Positive = Field(description="Connections that read after each change.")
    time_limit_s: Annotated[float, Field(gt=0, description="Seconds.")]
    keep_packages: bool
    tasks: Positive | None = Field(description="How many tasks there are; null where nobody said.")


class Faults(ModelPart):
    """Answers with each fault; one may have several."""

    stale: Count = Field(description="It misses what was there before it was asked for.")
    stale_removal: Count = Field(description="It shows what was gone before it was asked for.")
    lost: Count = Field(description="It misses what had been shown before, a page by the same task.")
    early: Count = Field(description="It shows what nobody had begun to upload.")
    wrong_digest: Count = Field(description="A listing with another digest than that of the uploaded bytes.")
    wrong_bytes: Count = Field(description="A download that is not what was uploaded.")


class TaskResult(ModelPart):
    """The answers of one task."""

    name: str = Field(description="As its X-Served-By says; `unnamed` for all answers that do not say.")
    reads: Count = Field(description="Those that prove something: what they had to show, or not to show, had changed.")
    idle_reads: Count = Field(description="Those that came before anything had changed.")
    faults: Faults
    oldest_miss_s: Seconds | None = Field(
        description="The longest time after a change at which an answer was asked for that did not know of it."
    )
    errors: dict[str, int] = Field(description="Answers that prove nothing, by what they were; also those of no task.")
    silences: Count = Field(description="Changes about which it gave no answer that proves anything.")


class Miss(ModelPart):
    """A change that a task did not know of at once."""

    task: str
    thing: str = Field(description="A file, or a project on the index page.")
    change: Literal["upload", "removal"]
    answers: Positive = Field(description="Answers that did not know of it.")
    oldest_miss_s: Seconds = Field(description="The longest time after the change at which one of them was asked for.")
    settled_s: Seconds | None = Field(
        description="How long after the change it was known for good; null where that was not seen."
    )


class ConsistencyReport(Outcome):
    """One check, however it ended."""

    verdicts: ClassVar[Mapping[ExitCode, str]] = {
        ExitCode.THRESHOLDS_MISSED: "inconsistent",
        ExitCode.UNTRUSTWORTHY: "unproved",
    }

    asked: CheckParameters
    stack: Stack | None
    uploads: Count = Field(description="Uploads that the index answered with success.")
    removals: Count
    refusals: list[str] = Field(description="What came in place of success.")
    reads: Count = Field(description="Answers that prove something, of all tasks.")
    reads_by_kind: dict[str, int] = Field(description="All answers that could be judged, idle ones included.")
    faults: Faults
    tasks: list[TaskResult]
    misses: list[Miss] = Field(description="In the order in which they were first seen.")
    examples: list[str] = Field(description="The first few faults that are no stale answers.")
    remaining: list[str] = Field(description="Files that the index may still have.")

    @property
    def success(self) -> str:
        return "consistent"
