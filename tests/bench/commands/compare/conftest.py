"""Contenders whose figures can be computed by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pytest

from bench.commands.compare import model
from bench.commands.compare.statistics.rounds import Contender, Round


def make_round(
    latency_s: Sequence[float],
    *,
    failed: int = 0,
    duration_s: float = 1.0,
    per_task: Mapping[str, int] | None = None,
    cpu_s: Mapping[str, float | None] = MappingProxyType({}),
) -> Round:
    answers = {"task-1": len(latency_s)} if per_task is None else per_task
    return Round(np.array(latency_s, dtype=np.float64), failed, duration_s, answers, cpu_s)


def make_contender(name: str, rounds: Sequence[Round], known: Mapping[str, float] | None = None) -> Contender:
    variant = model.ComparedVariant(
        name=name,
        report=None,
        stack=None,
        settings={},
        plan=None,
        tasks_run=None,
        rounds=len(rounds),
        requests=sum(round_.requests for round_ in rounds),
        failed=sum(round_.failed for round_ in rounds),
        per_task={},
        notes=[],
    )
    return Contender(variant, rounds, known or {})


@pytest.fixture(scope="session")
def round_of() -> Callable[..., Round]:
    """Makes a round of latencies."""
    return make_round


@pytest.fixture(scope="session")
def contender_of() -> Callable[..., Contender]:
    """Makes a variant of rounds."""
    return make_contender
