"""One load, from its start to the samples of all generators together.

All generators start a round at the same moment, and a round ends when it has ended in all. Which of them sends a client
changes nothing for that client.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from bench.load.clients import LoadSpec, ProcessMeasurement
from bench.load.generators.processes import Processes
from bench.load.generators.protocol import Generators
from bench.load.health import GeneratorHealth
from bench.load.samples import Samples


@dataclass(frozen=True)
class LoadResult:
    """Samples of a load, and the health of its generator."""

    samples: Samples
    generator: GeneratorHealth


@dataclass
class Load:
    """One load. `run` it once; `result` gives what was recorded, also when `run` was cancelled or failed."""

    spec: LoadSpec
    generators: Generators = field(default_factory=Processes)
    """The generators that send it, not started yet."""
    on_progress: Callable[[float, int], None] | None = None
    """Called on the event loop at each message of a generator, with the seconds since the start and the number of
    requests that have ended."""
    _measured: list[ProcessMeasurement] = field(default_factory=list, init=False)
    _started_s: float = field(default_factory=perf_counter, init=False)

    async def run(self) -> None:
        """Send the load, and wait for the last answer.

        Cancelling it closes every connection, and ends the generators. Each of its errors is a `BenchError`.
        """
        try:
            await self.generators.start(self.spec, self._report_progress)
            await self._send_rounds()
        finally:
            outcomes = await self.generators.end()
            self._measured = [outcome for outcome in outcomes if isinstance(outcome, ProcessMeasurement)]
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    def result(self) -> LoadResult:
        """The measurement. Requests that were under way when the load was cancelled have no row."""
        samples = Samples.merged([part.samples for part in self._measured], self.spec.workload.shape.phases)
        return LoadResult(
            samples,
            GeneratorHealth.of(
                samples,
                cpu_s=[part.cpu_s for part in self._measured],
                wall_s=max((part.wall_s for part in self._measured), default=0.0),
                exhausted=sum(part.exhausted for part in self._measured),
                loaders=[part.loader for part in self._measured if part.loader is not None],
            ),
        )

    async def _send_rounds(self) -> None:
        shape = self.spec.workload.shape
        await self.generators.ready()
        self._started_s = await self.generators.start_round()
        await self.generators.ready()
        while shape.repeats and perf_counter() - self._started_s < (shape.duration_s or 0):
            await self.generators.start_round()
            await self.generators.ready()

    def _report_progress(self) -> None:
        if self.on_progress is not None:
            self.on_progress(max(0.0, perf_counter() - self._started_s), self.generators.requests)
