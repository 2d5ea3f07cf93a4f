"""Number of processes of the load generator, and their health: whether they kept up.

If they did not, the figures are about them and not about the index.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bench.load.samples import Samples, percentile
from sizing.counted import counted

MAX_PROCESSES = 64
# One for each core, as long as more of them make a difference: docs/decisions/load-processes.md.
_MAX_DEFAULT_PROCESSES = 4

# Work waits for the one core that a process can use, the more the closer it gets to all of it. From here on it shows.
WARN_CPU_SHARE = 0.7
# At this share there was no time left in which an answer could have been taken when it came.
LIMIT_CPU_SHARE = 0.9
# A load shorter than this is all start: its share of a core says little, and is never held against it.
SHORTEST_JUDGED_S = 1.0
# A tenth and a half of the tightest limit on latency, the 2 s of a listing.
WARN_SEND_LATENESS_S = 0.2
LIMIT_SEND_LATENESS_S = 1.0
# With a larger error, a loader could start a burst so late that the lateness of a request would be warned of.
MAX_CLOCK_RESIDUAL_S = WARN_SEND_LATENESS_S

# The operating system refused a connection for want of ports, files or memory on this side.
EXHAUSTED_ERRNOS = frozenset({errno.EADDRNOTAVAIL, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def default_processes(clients: int | None, cookies: Literal["none", "shared"], cores: int) -> int:
    """How many processes send a load unless the user says how many.

    Where a rate decides (`clients` is None), one is enough. A cookie jar that all clients share takes one.
    """
    if clients is None or cookies == "shared":
        return 1
    return min(cores, clients, _MAX_DEFAULT_PROCESSES)


@dataclass(frozen=True)
class LoaderLink:
    """Connection between the benchmark and one of its loaders, each of which is a process beside a Dask worker."""

    name: str
    """Address of the worker."""
    round_trip_s: float
    """Smallest round trip of a call, before the load or after it."""
    clock_residual_s: float
    """Largest error of the times of its samples, after the correction for the offset of its clock."""


@dataclass(frozen=True)
class GeneratorHealth:
    """CPU time and lateness of the processes that sent the load."""

    cpu_s: tuple[float, ...]
    """CPU time of each process during the load."""
    wall_s: float
    """How long the load took."""
    send_lateness_p99_s: float
    """From when a request was due to when it was begun. The index has no part in this; 0 without requests."""
    exhausted: int
    """Connections that could not be made for want of ports, files or memory on this side."""
    loaders: tuple[LoaderLink, ...] = ()
    """The loader of each process; empty where the processes are those of this machine."""

    @classmethod
    def of(
        cls,
        samples: Samples,
        *,
        cpu_s: Sequence[float],
        wall_s: float,
        exhausted: int,
        loaders: Sequence[LoaderLink] = (),
    ) -> GeneratorHealth:
        """The health of the generator that took `samples`."""
        return cls(
            cpu_s=tuple(cpu_s),
            wall_s=wall_s,
            send_lateness_p99_s=percentile(samples.sent_s - samples.due_s, 99) or 0.0,
            exhausted=exhausted,
            loaders=tuple(loaders),
        )

    @property
    def cpu_shares(self) -> tuple[float, ...]:
        """CPU time over wall time of each process: 1 is a whole core, which is all that a process can use."""
        return tuple(cpu_s / self.wall_s if self.wall_s > 0 else 0.0 for cpu_s in self.cpu_s)

    def problems(self) -> tuple[tuple[str, ...], bool]:
        """What to warn of, and whether the generator was clearly the limit, so that the figures cannot be trusted."""
        warnings: list[str] = []
        untrustworthy = False
        machine = "machines of the loaders" if self.loaders else "machine"
        busiest = max(self.cpu_shares, default=0.0)
        if busiest >= WARN_CPU_SHARE:
            judged = self.wall_s >= SHORTEST_JUDGED_S
            untrustworthy |= judged and busiest >= LIMIT_CPU_SHARE
            warnings.append(
                f"{self._busy_processes(busiest)} can use: the index may be faster than measured; use "
                f"{self._one_more()}, a faster machine, or fewer clients"
            )
        if self.send_lateness_p99_s >= WARN_SEND_LATENESS_S:
            untrustworthy |= self.send_lateness_p99_s >= LIMIT_SEND_LATENESS_S
            warnings.append(
                f"the load generator began 1 % of the requests {self.send_lateness_p99_s:.2f} s late or later: their "
                f"latency is too high by as much; leave the {machine} to the benchmark, or use fewer clients"
            )
        if self.exhausted:
            untrustworthy = True
            warnings.append(
                f"{counted(self.exhausted, 'connection')} could not be made for want of ports, open files or memory on "
                f"{'the ' if self.loaders else 'this '}{machine}: raise the limits there, or use fewer clients"
            )
        for loader in self.loaders:
            if loader.clock_residual_s > MAX_CLOCK_RESIDUAL_S:
                untrustworthy = True
                warnings.append(clock_problem(loader.name, loader.clock_residual_s))
        return tuple(warnings), untrustworthy

    def _busy_processes(self, busiest: float) -> str:
        """The beginning of the sentence about the busiest process, or about each loader that is near its limit."""
        if self.loaders:
            shares = zip(self.loaders, self.cpu_shares, strict=True)
            busy = " and ".join(f"loader {loader.name}" for loader, share in shares if share >= WARN_CPU_SHARE)
            return f"{busy} used up to {busiest:.0%} of the one core that each"
        processes = len(self.cpu_s)
        who = "the load generator" if processes == 1 else f"one of the {processes} processes of the load generator"
        return f"{who} used {busiest:.0%} of the one core that it"

    def _one_more(self) -> str:
        if self.loaders:
            return "more loaders"
        return f"--generators {len(self.cpu_s) + 1} where there are cores to spare"


def clock_problem(name: str, residual_s: float) -> str:
    """Why the times of a loader cannot be compared with those of the others."""
    return (
        f"the clock of loader {name} can be wrong by {residual_s:.3f} s after correction, more than the "
        f"{MAX_CLOCK_RESIDUAL_S:g} s that are allowed: run the benchmark in the network of the Dask scheduler and its "
        "workers"
    )
