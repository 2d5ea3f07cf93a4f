"""One task slower than the others: the same requests cost it more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.diagnosis.amounts import duration
from bench.diagnosis.evidence import Evidence, own_cost_s
from bench.diagnosis.finding import Finding
from bench.load.samples import Operation

_FEWEST_REQUESTS = 20
_LEAST_RATIO = 2.0
_LEAST_DIFFERENCE_S = 0.005

CostByTask = dict[str, float]


def slow_task(evidence: Evidence) -> Finding | None:
    """Fires where every kind of request costs the same task twice what it costs the others.

    What a request costs by itself is compared: a task that has more of them at once takes longer for each.
    """
    costs = dict(_costs_s(evidence))
    slowest = {max(by_task, key=by_task.__getitem__) for by_task in costs.values()}
    if len(slowest) != 1:
        return None
    (task,) = slowest
    usual_s = {
        operation: float(np.median([cost_s for name, cost_s in by_task.items() if name != task]))
        for operation, by_task in costs.items()
    }
    if not all(_is_slower(costs[operation][task], usual_s[operation]) for operation in costs):
        return None
    timed = evidence.timed
    own = timed.where(timed.served_by == timed.served_by_names.index(task))
    slower = min(usual_s[operation] / costs[operation][task] for operation in costs)
    return Finding(
        rule="slow_task",
        summary=f"{task} takes {1 / slower:.1f} times as long for the same requests as the other tasks.",
        evidence=[
            f"a {operation.name.lower()} costs {task} {duration(costs[operation][task])}, "
            f"the others {duration(usual_s[operation])}"
            for operation in costs
        ],
        share=min(1.0, (1 - slower) * float(own.service_time_s.sum() / max(timed.service_time_s.sum(), 1e-9))),
        advice="Look at the instance of that task: a neighbour, spent CPU credits, swap, or another instance type.",
    )


def _is_slower(cost_s: float, usual_s: float) -> bool:
    return cost_s >= _LEAST_RATIO * usual_s and cost_s - usual_s >= _LEAST_DIFFERENCE_S


def _costs_s(evidence: Evidence) -> Iterator[tuple[Operation, CostByTask]]:
    """What each operation costs each task, where two tasks or more did enough of them."""
    timed = evidence.timed
    for operation in Operation:
        by_task = {
            name: timed.server_s[(timed.served_by == number) & (timed.operation == operation)]
            for number, name in enumerate(timed.served_by_names)
            if name
        }
        costs_s = {name: own_cost_s(work_s) for name, work_s in by_task.items() if len(work_s) >= _FEWEST_REQUESTS}
        if len(costs_s) > 1:
            yield operation, costs_s
