"""Finding: one cause of what a load showed, in words and figures."""

from __future__ import annotations

from pydantic import Field

from bench.common.model_part import ModelPart, Share


class Finding(ModelPart):
    """One cause, or a suspect that is cleared."""

    rule: str = Field(description="Name of the rule that found it, of docs/report.md.")
    summary: str = Field(description="The cause, in one sentence.")
    evidence: list[str] = Field(description="The figures that it stands on, a line each.")
    share: Share = Field(
        description="Estimate of the part of the waiting, or of the failures, that it explains. Shares overlap."
    )
    advice: str = Field(description="What to change, in a sentence.")
