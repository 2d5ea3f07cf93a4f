"""Thread that reads instruments at intervals while a load goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from bench.common.failures import UnavailableError
from bench.deployment.observe.collector import Collector


@dataclass(frozen=True)
class Probe:
    """Instruments that are read together."""

    collector: Collector
    read: Callable[[], Sequence[float]]
    """Values of the collector's instruments, in their order. It may fail, and is read again the next time."""


@dataclass
class SamplingCost:
    """CPU time of the thread, once it has ended."""

    cpu_s: float = 0.0


@contextmanager
def sampled(probes: Sequence[Probe]) -> Iterator[SamplingCost]:
    """Read each probe at the beginning and the end of a context, and in between at the period of its collector."""
    done = threading.Event()
    cost = SamplingCost()

    def watch() -> None:
        due_s = {id(probe): started_s + probe.collector.period_s for probe in probes}
        while not done.wait(max(0.0, min(due_s.values(), default=threading.TIMEOUT_MAX) - time.monotonic())):
            for probe in probes:
                if due_s[id(probe)] <= time.monotonic():
                    _read(probe)
                    due_s[id(probe)] += probe.collector.period_s
        cost.cpu_s = time.thread_time()

    for probe in probes:
        _read(probe)
    started_s = time.monotonic()
    thread = threading.Thread(target=watch, name="observation", daemon=True)
    thread.start()
    try:
        yield cost
    finally:
        done.set()
        thread.join()
        for probe in probes:
            _read(probe)


def _read(probe: Probe) -> None:
    unix_s = time.time()
    try:
        values = probe.read()
    except (OSError, psutil.Error, UnavailableError) as error:
        probe.collector.fail(f"it could not be read: {error}")
    else:
        probe.collector.add(unix_s, values)
