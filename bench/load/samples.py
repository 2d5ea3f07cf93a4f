"""Samples of a load: one row per request, kept as columns.

`Recorder` takes the rows while the load runs: packing a row costs well under a microsecond, and memory stays bounded
because full chunks go to an unnamed file that the operating system removes by itself. `Samples` is what comes out.
Latency and service time are defined in docs/measuring.md and computed here and nowhere else.
"""

from __future__ import annotations

import enum
import math
import os
import struct
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.common.failures import DiskFullError, is_disk_full
from bench.index.errors import ErrorKind

Scalar = TypeVar("Scalar", bound=np.generic)


class Operation(enum.IntEnum):
    """Kind of a request. Reports use the names in lower case."""

    REDIRECT = 0
    LISTING = 1
    DOWNLOAD = 2
    UPLOAD = 3


class _Column(Generic[Scalar]):
    """One column of `Samples`: declared once, it makes up the row too, in memory and in a file."""

    def __init__(self, type_: type[Scalar]) -> None:
        self.type = type_

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, samples: Samples, owner: type) -> NDArray[Scalar]:
        return samples.rows[self._name]


@dataclass(frozen=True)
class Samples:
    """One row per request, in the order in which they ended. Times are seconds since the load started."""

    rows: NDArray[np.void]
    """Of the type `ROW`."""
    served_by_names: tuple[str, ...]
    """The values of X-Served-By; '' where an answer had none."""
    phase_names: tuple[str, ...]

    # The widest come first, so that each lies at a multiple of its size.
    due_s = _Column(np.float64)
    sent_s = _Column(np.float64)
    first_byte_s = _Column(np.float64)
    """nan where no byte came."""
    done_s = _Column(np.float64)
    server_s = _Column(np.float64)
    """Cost of the request to the server, by the `total` of its Server-Timing; nan where it does not say."""
    auth_s = _Column(np.float64)
    """The part of it that the check of the credentials took, by `auth`; nan where the server does not say."""
    received_bytes = _Column(np.int64)
    """Bytes of the body; headers are not counted."""
    status = _Column(np.uint16)
    """0 where no status came."""
    served_by = _Column(np.uint16)
    """Index into `served_by_names`."""
    operation = _Column(np.uint8)
    phase = _Column(np.uint8)
    """Index into `phase_names`."""
    error = _Column(np.uint8)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def latency_s(self) -> NDArray[np.float64]:
        """From the moment the request was due to the end of its answer, or of the attempt."""
        return self.done_s - self.due_s

    @property
    def service_time_s(self) -> NDArray[np.float64]:
        """From the moment the client began the request to the end of its answer, or of the attempt."""
        return self.done_s - self.sent_s

    @property
    def failed(self) -> NDArray[np.bool_]:
        return np.not_equal(self.error, ErrorKind.NONE)

    def where(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Samples:
        """The rows for which a mask is true, or those with the given numbers in the given order."""
        return replace(self, rows=self.rows[rows])

    def later_by(self, seconds: float) -> Samples:
        """The same requests, each so many seconds later."""
        rows = self.rows.copy()
        for moment in ("due_s", "sent_s", "first_byte_s", "done_s"):
            rows[moment] += seconds
        return replace(self, rows=rows)

    @classmethod
    def of(
        cls, columns: Mapping[str, NDArray[Any]], served_by_names: Sequence[str], phase_names: Sequence[str]
    ) -> Samples:
        """The rows that `columns`, by name and of one length, make up; files of before have no `auth_s`."""
        rows = np.empty(len(columns["done_s"]), ROW)
        for name in COLUMNS:
            rows[name] = columns[name] if name in columns or name != "auth_s" else math.nan
        return cls(rows, tuple(served_by_names), tuple(phase_names))

    @classmethod
    def merged(cls, parts: Sequence[Samples], phase_names: Sequence[str]) -> Samples:
        """The rows of all `parts`, whose phases are `phase_names`, in the order in which they ended."""
        numbers: dict[str, int] = {}
        rows = np.concatenate([np.empty(0, ROW), *(part.rows for part in parts)])
        renumbered = [np.array([_number(name, numbers) for name in part.served_by_names], np.uint16) for part in parts]
        rows["served_by"] = np.concatenate(
            [np.empty(0, np.uint16), *(new[part.served_by] for new, part in zip(renumbered, parts, strict=True))]
        )
        return cls(rows[np.argsort(rows["done_s"], kind="stable")], tuple(numbers), tuple(phase_names))

    def save(self, path: Path) -> None:
        """Write all columns to `path`, which ends with .npz, in numpy's format."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in COLUMNS}
        arrays |= {"served_by_names": np.array(self.served_by_names), "phase_names": np.array(self.phase_names)}
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> Samples:
        """Read what `save` wrote."""
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return cls.of(arrays, arrays["served_by_names"].tolist(), arrays["phase_names"].tolist())


COLUMNS = {name: column.type for name, column in vars(Samples).items() if isinstance(column, _Column)}
ROW = np.dtype(list(COLUMNS.items()), align=True)
# The same row as `Recorder` packs it.
_CODES = {np.float64: "d", np.int64: "q", np.uint16: "H", np.uint8: "B"}
_PACKED = "=" + "".join(_CODES[type_] for type_ in COLUMNS.values())
_PACKED_ROW = struct.Struct(f"{_PACKED}{ROW.itemsize - struct.calcsize(_PACKED)}x")


def percentile(values: NDArray[np.float64], percent: float) -> float | None:
    """The smallest observed value that at least `percent` of `values` do not exceed; None when there are none.

    It is exact: a value that occurred, never one interpolated between two.
    """
    return float(np.percentile(values, percent, method="inverted_cdf")) if len(values) else None


_CHUNK_ROWS = 1 << 16
_MAX_SERVERS = 10_000
_MAX_SERVER_NAME = 100
_OTHER_SERVERS = "others"


def _number(served_by: str, numbers: dict[str, int]) -> int:
    """The number of a server by its name, a new one where it has none yet."""
    # Some index may put a number of the request there, or a novel.
    if served_by not in numbers and len(numbers) >= _MAX_SERVERS:
        served_by = _OTHER_SERVERS
    return numbers.setdefault(served_by[:_MAX_SERVER_NAME], len(numbers))


class Recorder:
    """Collects rows during one load. At most one chunk of rows, 4 MiB, is held in memory."""

    def __init__(self, phase_names: Sequence[str], spill_dir: Path, *, started_s: float, chunk_rows: int = _CHUNK_ROWS):
        self.requests = 0
        self.failed = 0
        self.started_s = started_s
        """When the load started, on the clock of the times given to `record`. Not to be moved once a row is there."""
        self._phase_names = tuple(phase_names)
        self._served_by: dict[str, int] = {}
        self._spill_dir = spill_dir
        self._spill: IO[bytes] | None = None
        self._chunk = bytearray(chunk_rows * _PACKED_ROW.size)
        self._offset = 0

    def record(
        self,
        operation: Operation,
        phase: int,
        due_s: float,
        sent_s: float,
        done_s: float,
        *,
        first_byte_s: float = math.nan,
        status: int = 0,
        received_bytes: int = 0,
        served_by: str = "",
        server_s: float = math.nan,
        auth_s: float = math.nan,
        error: ErrorKind = ErrorKind.NONE,
    ) -> None:
        """Add one row. Times are read off the clock that `started_s` was read off.

        Raises:
            DiskFullError: a full chunk could not be written.
        """
        served_by_index = self._served_by.get(served_by)
        if served_by_index is None:
            served_by_index = _number(served_by, self._served_by)
        zero = self.started_s
        _PACKED_ROW.pack_into(
            self._chunk,
            self._offset,
            due_s - zero,
            sent_s - zero,
            first_byte_s - zero,
            done_s - zero,
            server_s,
            auth_s,
            received_bytes,
            status,
            served_by_index,
            operation,
            phase,
            error,
        )
        self._offset += _PACKED_ROW.size
        self.requests += 1
        if error:
            self.failed += 1
        if self._offset == len(self._chunk):
            self._write_chunk()

    def finish(self) -> Samples:
        """Everything recorded so far. May be called at any time, also after a load that was cut short."""
        if self._spill is None:
            rows = np.frombuffer(bytes(self._chunk[: self._offset]), ROW)
        else:
            self._write_chunk()
            rows = np.asarray(np.memmap(self._spill, ROW, mode="r"))
        return Samples(rows, tuple(self._served_by), self._phase_names)

    def _write_chunk(self) -> None:
        try:
            if self._spill is None:
                self._spill = tempfile.TemporaryFile(dir=self._spill_dir, buffering=0)  # noqa: SIM115
                weakref.finalize(self, self._spill.close)
            view = memoryview(self._chunk)[: self._offset]
            while view:
                view = view[os.write(self._spill.fileno(), view) :]
        except OSError as error:
            if is_disk_full(error):
                raise DiskFullError(self._spill_dir) from error
            raise
        self._offset = 0
