"""Cost of one run on AWS: what the stack costs until it expires, and the data that the load moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.commands.cost.bill import fixed_lines, usage_lines
from bench.deployment.engine import Deployment
from sizing.cost import HOURS_PER_MONTH, Usage

# More than a load moves unless its options make it longer: the default burst downloads 0.3 GB in 1,530 requests.
_DATA = Usage(stored_gb=1, downloaded_gb=5, uploaded_gb=1, request_count=100_000)
_SHOWN_USD = 0.005


@dataclass(frozen=True)
class RunCost:
    """Cost of a run in USD, at the list prices of the bill."""

    parts: Sequence[tuple[str, float]]
    """Name and USD of each part, the dearest first."""
    hours: float

    @property
    def total_usd(self) -> float:
        return sum(usd for _, usd in self.parts)

    def lines(self) -> list[str]:
        """The estimate in words: the parts of half a cent and more, and their sum."""
        shown = [(name, usd) for name, usd in self.parts if usd >= _SHOWN_USD]
        rest_usd = self.total_usd - sum(usd for _, usd in shown)
        rows = [*shown, ("the rest", rest_usd), (f"at most, in {self.hours:g} hours", self.total_usd)]
        width = max(len(name) for name, _ in rows)
        return [f"{name:<{width}}  {usd:6.2f} USD" for name, usd in rows]


def run_cost(planned: Deployment, hours: float) -> RunCost:
    """The cost of a deployment that is up for so many hours, with the most instances that it may have.

    Raises:
        UsageError: no price is known for the instance type.
    """
    capacity = planned.outputs["capacity"]
    share = hours / HOURS_PER_MONTH
    fixed = [(line.what, line.usd * share) for line in fixed_lines(planned, capacity["instance_max_count"])]
    usage = [(line.what, line.usd) for line in usage_lines(planned, _DATA)]
    return RunCost(sorted([*fixed, *usage], key=lambda part: -part[1]), hours)
