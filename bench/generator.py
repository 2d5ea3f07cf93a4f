"""Whether the load generator itself kept up. If it did not, the figures are about it and not about the index."""

from __future__ import annotations

import errno
from dataclasses import dataclass

import numpy as np

from bench.samples import Samples, percentile

# Work waits for the one core that the generator has, the more the closer it gets to all of it. From here on it shows.
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


@dataclass(frozen=True)
class GeneratorHealth:
    """What the load cost the process that made it."""

    cpu_s: float
    """CPU time of the whole process during the load."""
    wall_s: float
    """How long the load took."""
    send_lateness_p99_s: float
    """From when a request was due to when it was begun. The index has no part in this; 0 without requests."""
    send_lateness_max_s: float
    exhausted: int
    """Connections that could not be made for want of ports, files or memory on this side."""

    @classmethod
    def of(cls, samples: Samples, *, cpu_s: float, wall_s: float, exhausted: int) -> GeneratorHealth:
        """The health of the generator that took `samples`."""
        lateness_s = samples.sent_s - samples.due_s
        return cls(
            cpu_s=cpu_s,
            wall_s=wall_s,
            send_lateness_p99_s=percentile(lateness_s, 99) or 0.0,
            send_lateness_max_s=float(np.max(lateness_s, initial=0.0)),
            exhausted=exhausted,
        )

    @property
    def cpu_share(self) -> float:
        """CPU time over wall time: 1 is a whole core, which is all that the generator can use."""
        return self.cpu_s / self.wall_s if self.wall_s > 0 else 0.0

    def problems(self) -> tuple[tuple[str, ...], bool]:
        """What to warn of, and whether the generator was clearly the limit, so that the figures cannot be trusted."""
        warnings: list[str] = []
        untrustworthy = False
        if self.cpu_share >= WARN_CPU_SHARE:
            judged = self.wall_s >= SHORTEST_JUDGED_S
            untrustworthy |= judged and self.cpu_share >= LIMIT_CPU_SHARE
            warnings.append(
                f"the load generator used {self.cpu_share:.0%} of the one core that it can use: the index may be "
                "faster than measured; use a faster machine, or fewer clients"
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
                f"{self.exhausted} connections could not be made for want of ports, open files or memory on this "
                "machine: raise its limits, or use fewer clients"
            )
        return tuple(warnings), untrustworthy
