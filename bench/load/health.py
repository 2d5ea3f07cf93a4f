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

    @classmethod
    def of(cls, samples: Samples, *, cpu_s: Sequence[float], wall_s: float, exhausted: int) -> GeneratorHealth:
        """The health of the generator that took `samples`."""
        return cls(
            cpu_s=tuple(cpu_s),
            wall_s=wall_s,
            send_lateness_p99_s=percentile(samples.sent_s - samples.due_s, 99) or 0.0,
            exhausted=exhausted,
        )

    @property
    def cpu_shares(self) -> tuple[float, ...]:
        """CPU time over wall time of each process: 1 is a whole core, which is all that a process can use."""
        return tuple(cpu_s / self.wall_s if self.wall_s > 0 else 0.0 for cpu_s in self.cpu_s)

    def problems(self) -> tuple[tuple[str, ...], bool]:
        """What to warn of, and whether the generator was clearly the limit, so that the figures cannot be trusted."""
        warnings: list[str] = []
        untrustworthy = False
        busiest = max(self.cpu_shares, default=0.0)
        if busiest >= WARN_CPU_SHARE:
            judged = self.wall_s >= SHORTEST_JUDGED_S
            untrustworthy |= judged and busiest >= LIMIT_CPU_SHARE
            processes = len(self.cpu_s)
            who = "the load generator" if processes == 1 else f"one of the {processes} processes of the load generator"
            warnings.append(
                f"{who} used {busiest:.0%} of the one core that it can use: the index may be faster than measured; "
                f"use --generators {processes + 1} where there are cores to spare, a faster machine, or fewer clients"
            )
        if self.send_lateness_p99_s >= WARN_SEND_LATENESS_S:
            untrustworthy |= self.send_lateness_p99_s >= LIMIT_SEND_LATENESS_S
            warnings.append(
                f"the load generator began 1 % of the requests {self.send_lateness_p99_s:.2f} s late or later: their "
                "latency is too high by as much; leave the machine to the benchmark, or use fewer clients"
            )
        if self.exhausted:
            untrustworthy = True
            warnings.append(
                f"{counted(self.exhausted, 'connection')} could not be made for want of ports, open files or memory on "
                "this machine: raise its limits, or use fewer clients"
            )
        return tuple(warnings), untrustworthy
