"""Readings of gauges and counters, and the series that they make up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.deployment.observe.series import Series


@dataclass(frozen=True)
class Instrument:
    """Something that is read again and again."""

    metric: str
    subject: str
    unit: str
    source: str
    is_counter: bool = False
    """It only goes up: the series has its increase per second."""


@dataclass
class Collector:
    """Readings of some instruments, at the same moments."""

    instruments: tuple[Instrument, ...]
    period_s: float
    """Time between two readings; the last one may come earlier."""
    _unix_s: list[float] = field(default_factory=list, init=False)
    _rows: list[tuple[float, ...]] = field(default_factory=list, init=False)
    _failure: str = field(default="it was never read", init=False)

    def add(self, unix_s: float, values: Iterable[float]) -> None:
        """Add a reading of every instrument, in their order."""
        self._unix_s.append(unix_s)
        self._rows.append(tuple(values))

    def fail(self, reason: str) -> None:
        """Note why a reading is missing."""
        self._failure = reason

    def series(self) -> list[Series]:
        """A series of each instrument; one that was read too seldom has a reason in place of values."""
        # The last period would otherwise be too short for a rate to mean anything.
        if len(self._rows) > 2 and self._unix_s[-1] - self._unix_s[-2] < self.period_s / 2:
            del self._unix_s[-2], self._rows[-2]
        columns = list(zip(*self._rows, strict=True)) or [()] * len(self.instruments)
        return [
            self._series(instrument, list(column)) for instrument, column in zip(self.instruments, columns, strict=True)
        ]

    def _series(self, instrument: Instrument, values: list[float]) -> Series:
        unix_s = list(self._unix_s)
        if instrument.is_counter:
            pairs = zip(values, values[1:], unix_s, unix_s[1:], strict=False)
            values = [(after - before) / (end_s - start_s) for before, after, start_s, end_s in pairs]
            unix_s = unix_s[:-1]
        return Series(
            metric=instrument.metric,
            subject=instrument.subject,
            source=instrument.source,
            unit=instrument.unit,
            period_s=self.period_s,
            unix_s=unix_s if values else [],
            values=values,
            absence=None if values else self._failure,
        )
