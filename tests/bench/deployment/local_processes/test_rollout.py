"""How many tasks there are at each moment of a deployment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.deployment.engine import Deployment
from tests.bench.deployment.local_processes.rollout import Rollout, RolloutStep, failures_allowed, read_rollout
from tests.bench.deployment.local_processes.stacks import SERVICE, altered


def rollout(minimum_healthy_percent: int, maximum_percent: int) -> Rollout:
    return Rollout(minimum_healthy_percent, maximum_percent, circuit_breaker=True, rollback=True)


def steps(how: Rollout, desired: int) -> tuple[list[RolloutStep], int]:
    """Every step of a deployment in which each task becomes healthy, and how many old tasks are left."""
    old, new, taken = desired, 0, []
    while step := how.next_step(desired, old, new):
        taken.append(step)
        old, new = old - step.stop, new + step.start
    return taken, old


@pytest.mark.parametrize(
    ("percentages", "desired", "wanted"),
    [
        # Twice as many may run: all new ones, then no old one.
        ((50, 200), 4, [RolloutStep(start=4), RolloutStep(stop=4)]),
        # No room: half of the old ones make it.
        ((50, 100), 4, [RolloutStep(stop=2), RolloutStep(start=2), RolloutStep(stop=2), RolloutStep(start=2)]),
        ((100, 150), 4, [RolloutStep(start=2), RolloutStep(stop=2), RolloutStep(start=2), RolloutStep(stop=2)]),
        # One and a half tasks are one, half a task is one: none can go.
        ((50, 150), 1, []),
    ],
)
def test_known_deployments(percentages: tuple[int, int], desired: int, wanted: list[RolloutStep]) -> None:
    assert steps(rollout(*percentages), desired)[0] == wanted


@given(st.integers(0, 100), st.integers(100, 200), st.integers(1, 40))
def test_no_moment_of_a_deployment_has_too_few_tasks_or_too_many(minimum: int, maximum: int, desired: int) -> None:
    running, replaced = desired, 0
    taken, left = steps(rollout(minimum, maximum), desired)
    for step in taken:
        running += step.start - step.stop
        replaced += step.stop
        assert 100 * running <= maximum * desired
        assert 100 * running >= minimum * desired
    assert (left, replaced) in ((0, desired), (desired, 0))


@pytest.mark.parametrize(("desired", "failures"), [(1, 3), (6, 3), (7, 4), (24, 12), (1000, 200)])
def test_when_the_circuit_breaker_opens(desired: int, failures: int) -> None:
    assert failures_allowed(desired) == failures


def test_what_the_service_says(deployment: Deployment) -> None:
    says = {
        "deploymentMinimumHealthyPercent": 75,
        "deploymentMaximumPercent": 125,
        "deploymentCircuitBreaker": {"enable": True, "rollback": False},
    }
    service = altered(deployment.graph, SERVICE, lambda inputs: inputs.update(says)).one(SERVICE)
    assert read_rollout(service) == Rollout(75, 125, circuit_breaker=True, rollback=False)

    def says_nothing(inputs: dict[str, object]) -> None:
        for name in says:
            inputs.pop(name)

    silent = altered(deployment.graph, SERVICE, says_nothing).one(SERVICE)
    assert read_rollout(silent) == Rollout(100, 200, circuit_breaker=False, rollback=False)
