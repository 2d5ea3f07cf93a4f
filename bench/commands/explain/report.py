"""From what the steps measured to an explanation, in the results folder too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bench.commands.compare.bootstrap import Bootstrap
from bench.commands.compare.build import Compared
from bench.commands.compare.model import Measured
from bench.commands.compare.rounds import Contender
from bench.commands.compare.table import figures_table
from bench.commands.explain import model
from bench.commands.explain.ladder import Step
from bench.commands.explain.markdown import explanation_markdown, table_markdown
from bench.commands.explain.page import Page
from bench.report.build import Findings, ending_of, run_of
from bench.report.machine import this_machine
from bench.runtime.run import Run


def report_explanation(
    run: Run, steps: Sequence[Step], compared: Compared, probes: Mapping[str, model.Probes], page: Page | None
) -> model.Explanation:
    """Compute the figures of what was measured, and write explain.json, explain.md, and the page.

    The page keeps what it has where the measurement failed or was not finished.
    """
    rounds = max((contender.variant.rounds for contender in compared.contenders), default=0)
    contenders = {contender.variant.name: contender for contender in compared.contenders}
    figures = step_figures(compared.contenders, Bootstrap(rounds, run.findings.seed)) if contenders else {}
    told = [_told(step, contenders.get(step.name), figures.get(step.name, {}), probes.get(step.name)) for step in steps]

    def build(findings: Findings, ended_at: datetime) -> model.Explanation:
        ending = ending_of(findings)
        return model.Explanation(
            schema_version=1,
            run=run_of(findings, ended_at),
            exit_code=ending.exit_code,
            verdict=ending.exit_code.name.lower(),
            failure=ending.failure,
            workload=findings.workload,
            machine=this_machine(),
            rounds=rounds,
            warm_up_rounds=compared.warm_up_rounds,
            steps=told,
            warnings=ending.warnings,
            teardown=findings.teardown,
        )

    def write(explanation: model.Explanation) -> None:
        run.folder.write_text("explain.json", explanation.model_dump_json(indent=2) + "\n")
        run.folder.write_text("explain.md", explanation_markdown(explanation))
        if page is not None and explanation.exit_code == 0:
            page.write(table_markdown(explanation))

    return run.written(build, write)


def step_figures(contenders: Sequence[Contender], bootstrap: Bootstrap) -> dict[str, dict[str, Measured]]:
    """The figures of each step, by its name; their changes are to the step before."""
    first, *_ = contenders
    figures = {}
    for before, step in zip((first, *contenders), contenders, strict=False):
        pair = (step,) if step is first else (before, step)
        table = figures_table(pair, bootstrap)
        figures[step.variant.name] = {name: row[step.variant.name] for name, row in table.items()}
    return figures


def _told(
    step: Step, contender: Contender | None, figures: Mapping[str, Measured], probes: model.Probes | None
) -> model.Step:
    variant = contender.variant if contender is not None else None
    return model.Step(
        name=step.name,
        setting=step.setting,
        overrides=list(step.overrides),
        requests=variant.requests if variant else 0,
        failed=variant.failed if variant else 0,
        per_task=variant.per_task if variant else {},
        figures=dict(figures),
        probes=probes,
    )
