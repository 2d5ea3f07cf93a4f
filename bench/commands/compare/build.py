"""Comparison from what variants measured, written to the results folder too."""

from __future__ import annotations

from dataclasses import dataclass, field

from bench.commands.compare import model
from bench.commands.compare.blocks import COMPARISON
from bench.commands.compare.statistics.bootstrap import RESAMPLES, Bootstrap
from bench.commands.compare.statistics.gate import GateLimits, confidence, judge, regressions
from bench.commands.compare.statistics.rounds import Contender
from bench.commands.compare.statistics.table import figures_table
from bench.common.failures import BenchError, ExitCode
from bench.runtime.run import Run


@dataclass
class Compared:
    """Results of a comparison so far, beside the findings that every run has."""

    limits: GateLimits | None
    """None: nothing is held against anybody."""
    contenders: list[Contender] = field(default_factory=list)
    """With the same number of rounds each."""
    warm_up_rounds: int = 0
    differing: list[str] = field(default_factory=list)


def report_comparison(run: Run, compared: Compared) -> model.Comparison:
    """Compute the figures of what was measured, judge them if that is wanted, and write the comparison."""
    contenders = compared.contenders
    rounds = max((contender.variant.rounds for contender in contenders), default=0)
    bootstrap = Bootstrap(rounds, run.findings.seed)
    table = figures_table(contenders, bootstrap) if len(contenders) > 1 else {}
    gate = _gate(run, compared, rounds)
    return run.conclude(
        COMPARISON,
        workload=run.findings.workload,
        rounds=rounds,
        warm_up_rounds=compared.warm_up_rounds,
        intervals_of="rounds and requests" if bootstrap.of_rounds else "requests",
        resamples=RESAMPLES,
        variants=[contender.variant for contender in contenders],
        differing=compared.differing,
        figures=table,
        gate=gate,
    )


def _gate(run: Run, compared: Compared, rounds: int) -> model.Gate | None:
    """Nothing is judged where the measurement itself came to grief, which is what the exit code then says."""
    contenders = compared.contenders
    if compared.limits is None or run.findings.failures or len(contenders) < 2:
        return None
    bootstrap = Bootstrap(rounds, run.findings.seed, confidence(len(contenders)))
    try:
        gate = judge(figures_table(contenders, bootstrap), compared.limits, in_rounds=bootstrap.of_rounds)
    except BenchError as error:
        run.findings.fail(error.exit_code, str(error))
        return None
    if worse := regressions(gate):
        run.findings.fail(ExitCode.REGRESSED, f"worse than {contenders[0].variant.name}: {worse}")
    return gate
