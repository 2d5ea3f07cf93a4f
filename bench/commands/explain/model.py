"""Model of an explanation, from which its JSON, its schema and its layout follow."""

from __future__ import annotations

from pydantic import Field

from bench.commands.compare.model import MeasuredFigure
from bench.common.model_part import Count, ModelPart, Positive, Seconds
from bench.report.model import WorkloadInfo
from bench.report.outcome import Outcome


class Spread(ModelPart):
    """Requests of clients that share one cookie jar, which holds what an earlier answer brought."""

    requests: Positive
    to_the_busiest_task: Count


class Idle(ModelPart):
    """Requests on connections to the tasks that had been idle for about 2 s."""

    requests: Positive
    failed: Count = Field(description="Answered 502, 503 or 504, or not at all.")


class HealthCheckTiming(ModelPart):
    """The balancer's health check, sent to the tasks themselves."""

    path: str
    checks: Positive
    median_s: Seconds


class Mixing(ModelPart):
    """Uploads of different files that a server receives at the same time, the halves of each sent apart."""

    uploads: Positive
    answers: dict[str, int] = Field(description="How many had each status; `none` for those without an answer.")
    whole: Count = Field(description="Files that the index then has, byte for byte.")


class Probes(ModelPart):
    """Probes for what the burst does not show."""

    spread: Spread
    idle: Idle
    health_check: HealthCheckTiming
    mixing: Mixing


class StepResult(ModelPart):
    """One step of the ladder."""

    name: str = Field(description="`peer`, or the setting that is changed, with its new value.")
    setting: str | None = Field(description="The setting that is changed; null for the peer stack as it is.")
    overrides: list[str] = Field(description="All that are changed so far.")
    requests: Count = Field(description="In all rounds.")
    failed: Count
    per_task: dict[str, int] = Field(description="Requests of each task, those that had none included.")
    figures: dict[str, MeasuredFigure] = Field(description="By name; each `change` is to the step before.")
    probes: Probes | None


class Explanation(Outcome):
    """The ladder from the peer stack to ours."""

    workload: WorkloadInfo | None = Field(description="One round of it.")
    rounds: Count = Field(description="Of every step; a round that not all got through is left out.")
    warm_up_rounds: Count = Field(description="Of every step, before the first that counts.")
    steps: list[StepResult]

    @property
    def success(self) -> str:
        return "measured; nothing was judged"
