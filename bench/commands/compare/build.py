"""Comparison of what variants measured, written to the results folder too."""

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


@dataclass(kw_only=True)
class ComparisonJob:
    """The part that a comparison of stacks and one of reports have in common: what was measured, and its report."""

    limits: GateLimits | None = None
    """None: nothing is held against anybody."""
    contenders: list[Contender] = field(default_factory=list, init=False)
    """With the same number of rounds each."""
    warm_up_rounds: int = field(default=0, init=False)
    differing: list[str] = field(default_factory=list, init=False)

    def report(self, run: Run) -> model.Comparison:
        """Compute the figures of what was measured, judge them if that is wanted, and write the comparison."""
        bootstrap = Bootstrap(self.rounds, run.record.seed)
        table = figures_table(self.contenders, bootstrap) if len(self.contenders) > 1 else {}
        gate = self._gate(run)
        return run.conclude(
            COMPARISON,
            workload=run.record.workload,
            rounds=self.rounds,
            warm_up_rounds=self.warm_up_rounds,
            intervals_of="rounds and requests" if bootstrap.of_rounds else "requests",
            resamples=RESAMPLES,
            variants=[contender.variant for contender in self.contenders],
            differing=self.differing,
            figures=table,
            gate=gate,
        )

    @property
    def rounds(self) -> int:
        """Those that every variant was through."""
        return max((contender.variant.rounds for contender in self.contenders), default=0)

    def _gate(self, run: Run) -> model.Gate | None:
        """Nothing is judged where the measurement itself came to grief, which is what the exit code then says."""
        if self.limits is None or run.record.failures or len(self.contenders) < 2:
            return None
        bootstrap = Bootstrap(self.rounds, run.record.seed, confidence(len(self.contenders)))
        try:
            gate = judge(figures_table(self.contenders, bootstrap), self.limits, in_rounds=bootstrap.of_rounds)
        except BenchError as error:
            run.record.fail(error.exit_code, str(error))
            return None
        if worse := regressions(gate):
            run.record.fail(ExitCode.REGRESSED, f"worse than {self.contenders[0].variant.name}: {worse}")
        return gate
