"""Model of metrics.json: what a run recorded of the deployment during its load."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from bench.common.model_part import ModelPart
from bench.deployment.observe.series import Series

FILE_NAME = "metrics.json"


class MetricsFile(ModelPart):
    """The series of one load."""

    schema_version: Literal[1]
    run_id: str = Field(description="The run, as `run.id` of its report.")
    load_started_at: AwareDatetime = Field(description="UTC, just before the load.")
    load_ended_at: AwareDatetime = Field(description="UTC, just after it.")
    sampling_cpu_s: float | None = Field(
        ge=0, description="CPU time of the thread that read them here, seconds; null where others read them."
    )
    series: list[Series]
