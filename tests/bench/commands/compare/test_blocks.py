"""How a comparison reads: figures with as many digits as mean something, names as they are, one line each."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from bench.commands.compare import model
from bench.commands.compare.blocks import COMPARISON, figure_cells, figure_heading
from bench.commands.compare.model import Change, Interval, MeasuredFigure
from bench.commands.compare.statistics.bootstrap import Bootstrap
from bench.commands.compare.statistics.figures import FIGURES
from bench.commands.compare.statistics.rounds import Contender, Round
from bench.commands.compare.statistics.table import figures_table
from bench.report.formats.markdown import markdown_text
from bench.report.formats.terminal import print_outcome
from bench.report.machine import this_machine
from bench.report.outcome import RunInfo, Teardown
from bench.report.wording import significant

HOSTILE = "stress:health_check_path=/a|b`c`*d*" + ":a_long_setting=with_a_long_value" * 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.00001234, "0.0000123"),
        (0.0831, "0.0831"),
        (19.44, "19.4"),
        (105.0, "105"),
        (4863.4, "4,863"),
        (-0.5, "-0.500"),
        (1_234_567.0, "1,234,567"),
    ],
)
def test_three_digits_that_mean_something(value: float, text: str) -> None:
    assert significant(value) == text


def test_shares_read_as_percentages_and_their_changes_as_points() -> None:
    difference = Change(kind="difference", value=0.0123, interval=Interval(low=0.01, high=0.02))
    share = MeasuredFigure(value=0.05, interval=Interval(low=0.04, high=0.06), change=difference)

    assert figure_cells("error_rate", share) == ("5.00", "4.00 .. 6.00", "+1.23", "1.00 .. 2.00")


def test_what_is_not_known_is_a_dash() -> None:
    ratio = Change(kind="ratio", value=2.0, interval=None)

    assert figure_cells("latency_p95_s", MeasuredFigure(value=None, interval=None, change=None)) == ("-",) * 4
    assert figure_cells("latency_p95_s", MeasuredFigure(value=0.1, interval=None, change=ratio)) == (
        "0.100",
        "-",
        "x 2.00",
        "-",
    )


def test_every_figure_has_a_heading_with_its_unit() -> None:
    assert all("," in figure_heading(figure) for figure in FIGURES)


@pytest.fixture
def comparison(round_of: Callable[..., Round], contender_of: Callable[..., Contender]) -> model.Comparison:
    random = np.random.default_rng(0)
    contenders = [
        contender_of(
            name,
            [
                round_of(random.exponential(1, 20), cpu_s=dict.fromkeys(("tasks", "balancer", "generator"), 1.0))
                for _ in range(3)
            ],
        )
        for name in ("first", HOSTILE)
    ]
    judged = model.Judged(
        figure="latency_p95_s", variant=HOSTILE, regressed=True, worse_by=0.2, worse_by_amount=0.1, interval_agrees=True
    )
    started_at = datetime(2026, 11, 23, 20, 15, tzinfo=UTC)
    return model.Comparison(
        schema_version=1,
        run=RunInfo(id="x", seed=0, started_at=started_at, ended_at=started_at, command=["python"], index_url=None),
        exit_code=7,
        verdict="regressed",
        failure="worse than first: latency",
        workload=None,
        machine=this_machine(),
        rounds=3,
        warm_up_rounds=1,
        intervals_of="rounds and requests",
        resamples=2000,
        variants=[contender.variant for contender in contenders],
        differing=["backend is a|b in first"],
        figures=figures_table(contenders, Bootstrap(3, 0)),
        gate=model.Gate(least_change=0.1, latency_floor_s=0.01, confidence=0.9933, judged=[judged]),
        warnings=["a\x1b[31m warning"],
        teardown=Teardown(complete=False, leftovers=["port 1"]),
    )


def test_in_a_log_each_figure_of_each_variant_is_a_line(comparison: model.Comparison, tmp_path: Path) -> None:
    stream = io.StringIO()
    print_outcome(comparison, COMPARISON.blocks(comparison), tmp_path / "comparison.md", stream, quiet=False)

    lines = [line for line in stream.getvalue().splitlines() if HOSTILE in line]
    assert len(lines) == len(FIGURES)
    assert "\x1b" not in stream.getvalue()
    assert "failed: worse than first: latency (exit code 7)" in stream.getvalue()


def test_quiet_says_the_verdict_alone(comparison: model.Comparison, tmp_path: Path) -> None:
    stream = io.StringIO()
    print_outcome(comparison, COMPARISON.blocks(comparison), tmp_path / "comparison.md", stream, quiet=True)

    assert stream.getvalue() == "failed: worse than first: latency (exit code 7)\n"


def test_markdown_has_every_row_whatever_the_names(comparison: model.Comparison) -> None:
    page = markdown_text(COMPARISON.blocks(comparison))

    rows = [line for line in page.splitlines() if line.startswith("|")]
    cells = {len(line.replace("\\|", "").split("|")) for line in rows}
    assert cells == {7, 8}  # five columns, or six
    assert sum("first" in row for row in rows) == len(FIGURES) + 1
    assert "**worse**" in page
    assert "`port 1`" in page
    assert "\x1b" not in page
