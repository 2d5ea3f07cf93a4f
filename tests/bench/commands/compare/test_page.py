"""The page for users names every figure and the limits of the gate."""

from __future__ import annotations

import re
from pathlib import Path

import bench.commands.compare.model
from bench.commands.compare.statistics.bootstrap import RESAMPLES
from bench.commands.compare.statistics.figures import FIGURES
from bench.commands.compare.statistics.gate import (
    GATED,
    LEAST_CHANGE_IN_ROUNDS,
    LEAST_CHANGE_OF_SINGLE_RUNS,
    GateLimits,
)

PAGE = Path(bench.__file__).parent.parent / "docs" / "compare.md"


def words_in_code() -> set[str]:
    return {word for code in re.findall(r"`([^`\n]+)`", PAGE.read_text()) for word in re.findall(r"\w+", code)}


def test_every_figure_is_on_its_page() -> None:
    assert set(FIGURES) <= words_in_code()


def test_the_page_gives_the_limits_of_the_gate() -> None:
    page = PAGE.read_text()

    assert f"| `--least-change` | {LEAST_CHANGE_IN_ROUNDS:g}; of single runs {LEAST_CHANGE_OF_SINGLE_RUNS:g} |" in page
    assert f"| `--latency-floor` | {GateLimits().latency_floor_s:g} |" in page
    for name, gated in GATED.items():
        assert gated.floor is None or f"| `{name}` | {gated.floor:g} |" in page
    assert f"{RESAMPLES:,} resamples" in page
