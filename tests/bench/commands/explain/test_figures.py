"""The changes of a step are to the step before it, and what was not measured is a dash."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from bench.commands.compare import model as compared
from bench.commands.compare.statistics.bootstrap import Bootstrap
from bench.commands.compare.statistics.rounds import Contender, Round
from bench.commands.explain.blocks import COLUMNS, EXPLANATION, page_blocks
from bench.commands.explain.job import step_figures
from bench.commands.explain.ladder import ladder
from bench.commands.explain.model import Explanation, HealthCheckTiming, Idle, Mixing, Probes, Spread, StepResult
from bench.report.formats.markdown import markdown_text
from bench.report.formats.terminal import print_outcome
from bench.report.machine import this_machine
from bench.report.outcome import RunInfo

PROBES = Probes(
    spread=Spread(requests=100, to_the_busiest_task=100),
    idle=Idle(requests=500, failed=95),
    health_check=HealthCheckTiming(path="/", checks=50, median_s=0.0081),
    mixing=Mixing(uploads=20, answers={"200": 7, "409": 13}, whole=6),
)


def contender(name: str, latency_s: float) -> Contender:
    rounds = [Round(np.full(10, latency_s), 0, 10 * latency_s, {"task-1": 5, "task-2": 5}) for _ in range(3)]
    variant = compared.ComparedVariant(
        name=name,
        report=None,
        stack=None,
        settings={},
        plan=None,
        tasks_run=2,
        rounds=3,
        requests=30,
        failed=0,
        per_task={},
        notes=[],
    )
    return Contender(variant, rounds)


def explanation(steps: Sequence[StepResult], rounds: int) -> Explanation:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    command = ["python", "-m", "bench", "explain"]
    return Explanation(
        schema_version=1,
        run=RunInfo(id="some-run", seed=0, started_at=now, ended_at=now, command=command, index_url=None),
        exit_code=0,
        verdict="passed",
        failure=None,
        workload=None,
        machine=this_machine(),
        rounds=rounds,
        warm_up_rounds=1,
        steps=list(steps),
        warnings=[],
        teardown=None,
    )


def measured_steps() -> list[StepResult]:
    steps = ladder()[:3]
    contenders = [contender(step.name, latency_s) for step, latency_s in zip(steps, (8.0, 4.0, 1.0), strict=True)]
    figures = step_figures(contenders, Bootstrap(3, 0))
    return [
        StepResult(
            name=step.name,
            setting=step.setting,
            overrides=list(step.overrides),
            requests=30,
            failed=0,
            per_task={"task-1": 15, "task-2": 15},
            figures=figures[step.name],
            probes=PROBES,
        )
        for step in steps
    ]


def test_a_change_is_to_the_step_before() -> None:
    first, second, third = measured_steps()

    assert [step.figures["latency_p95_s"].value for step in (first, second, third)] == [8.0, 4.0, 1.0]
    assert first.figures["latency_p95_s"].change is None
    for step, ratio in ((second, 0.5), (third, 0.25)):
        change = step.figures["latency_p95_s"].change
        assert change is not None
        assert change.kind == "ratio"
        assert change.value == pytest.approx(ratio)


def test_a_row_of_the_table_has_every_figure_and_marks_the_one_that_counts() -> None:
    rows = markdown_text(page_blocks(explanation(measured_steps(), 3))).splitlines()

    assert rows[2] == ("| 0 | `peer` | 8.00 | 8.00 | 0.125 | 0 | 0 | - | 100 of 100 | 95 of 500 | 8.10 | 7 of 20 | 6 |")
    assert rows[3].startswith(
        "| 1 | `stickiness_enabled=false` | 4.00 | 4.00 | 0.250 | 0 | **0** | - | **100 of 100** |"
    )
    assert rows[4].endswith("| **95 of 500** | 8.10 | 7 of 20 | 6 |")


def test_the_table_tells_no_date_and_how_it_is_made_again() -> None:
    text = markdown_text(page_blocks(explanation(measured_steps(), 3)))

    assert "2026" not in text
    assert "some-run" not in text
    assert "```\npython -m bench explain\n```" in text
    assert this_machine().cpu_model.split()[0] in text


def test_what_was_not_measured_is_a_dash() -> None:
    step = measured_steps()[0].model_copy(update={"figures": {}, "probes": None})

    assert [column.cell(step) for column in COLUMNS] == ["-"] * len(COLUMNS)
    assert "No round was measured" in markdown_text(EXPLANATION.blocks(explanation([step], 0)))


def test_the_terminal_shows_every_step_and_where_the_rest_lies(tmp_path: Path) -> None:
    (tmp_path / "explain.md").touch()
    stream = io.StringIO()
    explained = explanation(measured_steps(), 3)
    blocks, document = EXPLANATION.blocks(explained), EXPLANATION.document(tmp_path)
    print_outcome(explained, blocks, document, stream, quiet=False)
    lines = stream.getvalue().splitlines()

    assert lines[0].split() == ["step", "0", "1", "2"]
    assert [f"{number}: {step.name}" for number, step in enumerate(explained.steps)] == lines[-6:-3]
    assert any(line.startswith("5xx after 2 s idle") and line.count("95 of 500") == 3 for line in lines)
    assert lines[-2:] == ["measured; nothing was judged", f"report: {tmp_path / 'explain.md'}"]

    quiet = io.StringIO()
    print_outcome(explained, blocks, document, quiet, quiet=True)
    assert quiet.getvalue() == "measured; nothing was judged\n"
