"""Explanation from what the steps measured, written to the results folder too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.commands.compare.build import Compared
from bench.commands.compare.model import MeasuredFigure
from bench.commands.compare.statistics.bootstrap import Bootstrap
from bench.commands.compare.statistics.rounds import Contender
from bench.commands.compare.statistics.table import figures_table
from bench.commands.explain import model
from bench.commands.explain.blocks import EXPLANATION, page_blocks
from bench.commands.explain.ladder import LadderStep
from bench.commands.explain.page import write_between
from bench.common.failures import UsageError
from bench.report.formats.markdown import markdown_text
from bench.runtime.run import Run


def report_explanation(
    run: Run,
    steps: Sequence[LadderStep],
    compared: Compared,
    probes: Mapping[str, model.Probes],
    page: Path | None,
) -> model.Explanation:
    """Compute the figures of what was measured, and write the explanation and the page.

    The page keeps what it has where the measurement failed or was not finished.
    """
    rounds = max((contender.variant.rounds for contender in compared.contenders), default=0)
    contenders = {contender.variant.name: contender for contender in compared.contenders}
    figures = step_figures(compared.contenders, Bootstrap(rounds, run.findings.seed)) if contenders else {}
    results = [
        _result(step, contenders.get(step.name), figures.get(step.name, {}), probes.get(step.name)) for step in steps
    ]
    own = {
        "workload": run.findings.workload,
        "rounds": rounds,
        "warm_up_rounds": compared.warm_up_rounds,
        "steps": results,
    }
    explanation = run.conclude(EXPLANATION, **own)
    if page is not None and explanation.exit_code == 0:
        try:
            write_between(page, markdown_text(page_blocks(explanation)))
        except UsageError as error:
            run.findings.fail(error.exit_code, str(error))
            return run.conclude(EXPLANATION, **own)
    return explanation


def step_figures(contenders: Sequence[Contender], bootstrap: Bootstrap) -> dict[str, dict[str, MeasuredFigure]]:
    """The figures of each step, by its name; their changes are to the step before."""
    first, *_ = contenders
    figures = {}
    for before, step in zip((first, *contenders), contenders, strict=False):
        pair = (step,) if step is first else (before, step)
        table = figures_table(pair, bootstrap)
        figures[step.variant.name] = {name: row[step.variant.name] for name, row in table.items()}
    return figures


def _result(
    step: LadderStep, contender: Contender | None, figures: Mapping[str, MeasuredFigure], probes: model.Probes | None
) -> model.StepResult:
    variant = contender.variant if contender is not None else None
    return model.StepResult(
        name=step.name,
        setting=step.setting,
        overrides=list(step.overrides),
        requests=variant.requests if variant else 0,
        failed=variant.failed if variant else 0,
        per_task=variant.per_task if variant else {},
        figures=dict(figures),
        probes=probes,
    )
