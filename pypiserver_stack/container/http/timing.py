"""Time spent on a request, for the client (Server-Timing) and for the access log."""

from __future__ import annotations

from time import perf_counter


class Timing(dict[str, float]):
    """Seconds by name: auth_s, index_s and file_s as far as they were needed, total_s once the header was made.

    The total ends where the response begins: sending a large file is not in it.
    """

    def __init__(self) -> None:
        self._started_s = perf_counter()

    def header(self) -> str:
        """The value of Server-Timing: durations in milliseconds."""
        self["total_s"] = perf_counter() - self._started_s
        return ", ".join([f"{name[:-2]};dur={seconds * 1000:.3f}" for name, seconds in self.items()])
