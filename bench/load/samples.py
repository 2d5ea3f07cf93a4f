"""What was measured: one row per request, kept as columns.

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
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from bench.common.failures import DiskFullError, is_disk_full
from bench.index.errors import ErrorKind


class Operation(enum.IntEnum):
    """What a request asked for. Reports use the names in lower case."""

    REDIRECT = 0
    LISTING = 1
    DOWNLOAD = 2
    UPLOAD = 3


@dataclass(frozen=True)
class Samples:
    """One row per request, in the order in which they ended. Times are seconds since the load started."""

    due_s: NDArray[np.float64]
    sent_s: NDArray[np.float64]
    first_byte_s: NDArray[np.float64]
    """nan where no byte came."""
    done_s: NDArray[np.float64]
    server_s: NDArray[np.float64]
    """What the server says that the request cost it, as `total` in Server-Timing; nan where it does not say."""
    operation: NDArray[np.uint8]
    status: NDArray[np.uint16]
    """0 where no status came."""
    received_bytes: NDArray[np.int64]
    """Bytes of the body; headers are not counted."""
    served_by: NDArray[np.uint16]
    """Index into `served_by_names`."""
    phase: NDArray[np.uint8]
    """Index into `phase_names`."""
    error: NDArray[np.uint8]
    served_by_names: tuple[str, ...]
    """The values of X-Served-By; '' where an answer had none."""
    phase_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.done_s)

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
        return replace(self, **{name: getattr(self, name)[rows] for name in COLUMNS})

    @classmethod
    def merged(cls, parts: Sequence[Samples], phase_names: Sequence[str]) -> Samples:
        """The rows of all `parts`, whose phases are `phase_names`, in the order in which they ended."""
        nothing = np.empty(0, _ROW_DTYPE)
        columns: dict[str, Any] = {
            name: np.concatenate([nothing[name], *(getattr(part, name) for part in parts)]) for name in COLUMNS
        }
        numbers: dict[str, int] = {}
        renumbered = [np.array([_number(name, numbers) for name in part.served_by_names], np.uint16) for part in parts]
        columns["served_by"] = np.concatenate(
            [nothing["served_by"], *(new[part.served_by] for new, part in zip(renumbered, parts, strict=True))]
        )
        merged = cls(**columns, served_by_names=tuple(numbers), phase_names=tuple(phase_names))
        return merged.where(np.argsort(merged.done_s, kind="stable"))

    def save(self, path: Path) -> None:
        """Write all columns to `path`, in numpy's npz format.

        Raises:
            DiskFullError: there is no space left.
        """
        arrays: dict[str, Any] = {name: getattr(self, name) for name in COLUMNS}
        arrays |= {"served_by_names": np.array(self.served_by_names), "phase_names": np.array(self.phase_names)}
        try:
            with path.open("wb") as file:
                np.savez_compressed(file, **arrays)
        except OSError as error:
            if is_disk_full(error):
                raise DiskFullError(path) from error
            raise

    @classmethod
    def load(cls, path: Path) -> Samples:
        """Read what `save` wrote."""
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return cls(
                **{name: arrays[name] for name in COLUMNS},
                served_by_names=tuple(arrays["served_by_names"].tolist()),
                phase_names=tuple(arrays["phase_names"].tolist()),
            )


COLUMNS = tuple(field.name for field in fields(Samples) if not field.name.endswith("_names"))


def percentile(values: NDArray[np.float64], percent: float) -> float | None:
    """The smallest observed value that at least `percent` of `values` do not exceed; None when there are none.

    It is exact: a value that occurred, never one interpolated between two.
    """
    return float(np.percentile(values, percent, method="inverted_cdf")) if len(values) else None


# One packed row, and the same row as numpy reads it back.
_ROW = struct.Struct("<dddddqHHBBBx")
_ROW_DTYPE = np.dtype(
    {
        "names": [
            "due_s",
            "sent_s",
            "first_byte_s",
            "done_s",
            "server_s",
            "received_bytes",
            "status",
            "served_by",
            "operation",
            "phase",
            "error",
        ],
        "formats": ["<f8", "<f8", "<f8", "<f8", "<f8", "<i8", "<u2", "<u2", "u1", "u1", "u1"],
        "itemsize": _ROW.size,
    }
)
_CHUNK_ROWS = 1 << 16
_MOST_SERVERS = 10_000
_LONGEST_SERVER_NAME = 100
_OTHER_SERVERS = "others"


def _number(served_by: str, numbers: dict[str, int]) -> int:
    """The number of a server by its name, a new one where it has none yet."""
    # Some index may put a number of the request there, or a novel.
    if served_by not in numbers and len(numbers) >= _MOST_SERVERS:
        served_by = _OTHER_SERVERS
    return numbers.setdefault(served_by[:_LONGEST_SERVER_NAME], len(numbers))


class Recorder:
    """Collects rows during one load. At most one chunk of rows, 3.5 MiB, is held in memory."""

    def __init__(self, phase_names: Sequence[str], spill_dir: Path, *, started_s: float, chunk_rows: int = _CHUNK_ROWS):
        self.requests = 0
        self.failed = 0
        self.started_s = started_s
        """When the load started, on the clock of the times given to `record`. Not to be moved once a row is there."""
        self._phase_names = tuple(phase_names)
        self._served_by: dict[str, int] = {}
        self._spill_dir = spill_dir
        self._spill: IO[bytes] | None = None
        self._chunk = bytearray(chunk_rows * _ROW.size)
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
        _ROW.pack_into(
            self._chunk,
            self._offset,
            due_s - zero,
            sent_s - zero,
            first_byte_s - zero,
            done_s - zero,
            server_s,
            received_bytes,
            status,
            served_by_index,
            operation,
            phase,
            error,
        )
        self._offset += _ROW.size
        self.requests += 1
        if error:
            self.failed += 1
        if self._offset == len(self._chunk):
            self._write_chunk()

    def finish(self) -> Samples:
        """Everything recorded so far. May be called at any time, also after a load that was cut short."""
        if self._spill is None:
            rows = np.frombuffer(bytes(self._chunk[: self._offset]), dtype=_ROW_DTYPE)
        else:
            self._write_chunk()
            rows = np.memmap(self._spill, dtype=_ROW_DTYPE, mode="r")
        columns = {name: np.asarray(rows[name]) for name in COLUMNS}
        return Samples(**columns, served_by_names=tuple(self._served_by), phase_names=self._phase_names)

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
