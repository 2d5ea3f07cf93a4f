"""The folder that a run leaves: `results/<run id>/`, each file of it whole or not there."""

from __future__ import annotations

import json
import secrets as randomness
import shutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.common.atomic_file import replacing
from bench.common.failures import DiskFullError, UsageError, is_disk_full
from bench.deployment.graph import Resource
from bench.load.samples import Samples
from bench.report.redact import redacted_resources


@dataclass(frozen=True)
class RunFolder:
    """A run's folder. Writing a file again replaces it: a run that stays up reports before and after it goes down.

    What cannot be written is a `UsageError`, or a `DiskFullError` for want of space.
    """

    path: Path

    @classmethod
    def create(cls, results: Path, started_at: datetime) -> RunFolder:
        """Make the folder of a run that starts now, before anything else of the run exists."""
        while True:
            # Runs that start in the same second differ in four random hexadecimal digits.
            folder = cls(results / f"{started_at.astimezone(UTC):%Y%m%d-%H%M%S}-{randomness.token_hex(2)}")
            try:
                folder.path.mkdir(parents=True)
            except OSError as error:
                if not (isinstance(error, FileExistsError) and folder.path.is_dir()):
                    raise _refusal(folder.path, error) from error
            else:
                return folder

    @property
    def run_id(self) -> str:
        """Such as `20261123-201500-3f2a`."""
        return self.path.name

    @property
    def has_figures(self) -> bool:
        """Whether anything was measured."""
        return any(self.path.rglob("samples.npz"))

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def write_samples(self, samples: Samples) -> None:
        """Write samples.npz: one row per request."""
        self._write("samples.npz", samples.save)

    def write_infrastructure(self, resources: Iterable[Resource], secrets: Collection[str]) -> None:
        """Write infrastructure.json: every resource with its inputs, by URN, without marked inputs and `secrets`.

        Keys are sorted: the engines deliver them in different orders, and two files should compare.
        """
        content = {"resources": redacted_resources(resources, secrets)}
        self.write_text("infrastructure.json", json.dumps(content, indent=2, sort_keys=True, allow_nan=False) + "\n")

    def write_text(self, name: str, text: str) -> None:
        self._write(name, lambda path: path.write_text(text, encoding="utf-8"))

    def part(self, name: str) -> RunFolder:
        """A folder within, made if need be: for one of several things that the run measures."""
        path = self.path / name
        try:
            path.mkdir(exist_ok=True)
        except OSError as error:
            raise _refusal(path, error) from error
        return RunFolder(path)

    def _write(self, name: str, write: Callable[[Path], object]) -> None:
        path = self.path / name
        try:
            with replacing(path) as unfinished:
                write(unfinished)
        except OSError as error:
            raise _refusal(path, error) from error


def _refusal(path: Path, error: OSError) -> UsageError | DiskFullError:
    if is_disk_full(error):
        return DiskFullError(path)
    return UsageError(f"--results: cannot write {path} ({error.strerror}): name a folder that you may write to")
