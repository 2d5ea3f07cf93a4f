"""Model of what `up` and `down` report of a stack on AWS."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from bench.deployment.description import Plan, Stack
from bench.report.outcome import Outcome


class StackReport(Outcome):
    """One stack that was made or removed."""

    action: Literal["up", "down"]
    name: str
    account_id: str
    region: str
    expires_at: AwareDatetime = Field(description="From then on `sweep` takes the stack for abandoned.")
    stack: Stack | None = Field(description="Null where it was not made, or is removed.")
    plan: Plan | None

    @property
    def success(self) -> str:
        return "up" if self.action == "up" else "removed"
