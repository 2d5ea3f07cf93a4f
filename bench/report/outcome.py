"""Outcome of a command: what the reports of all commands have in common.

Every field is always present; what a run did not get to, or does not have, is null. Figures are not rounded, shares are
fractions of 1, names carry their unit. `bench/schema.py` prints the JSON schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import AwareDatetime, Field

from bench.common.failures import ExitCode
from bench.common.model_part import ModelPart, Positive
from sizing.counted import counted


class RunInfo(ModelPart):
    """Identity of the run."""

    id: str = Field(description="Start in UTC and four random digits; also the name of the results folder.")
    seed: int = Field(description="Seed of the packages and of the schedule.")
    started_at: AwareDatetime = Field(description="UTC.")
    ended_at: AwareDatetime = Field(description="When this report was made, UTC.")
    command: list[str] = Field(description="The command line that repeats the run.")
    index_url: str | None = Field(description="The index that was loaded, without credentials.")


class Teardown(ModelPart):
    """Result of the teardown."""

    complete: bool
    leftovers: list[str] = Field(description="What remains: processes, ports, folders, resources.")


class Machine(ModelPart):
    """Machine of the load generator, and under a local target of the tasks too."""

    cpu_model: str
    cores: Positive = Field(description="Cores that the process may use.")
    memory_mb: Positive = Field(description="Physical memory, MiB.")
    os: str
    python: str

    def __str__(self) -> str:
        return f"{self.cpu_model}, {counted(self.cores, 'core')}, {self.memory_mb:,} MB, {self.python}"


class Outcome(ModelPart):
    """Outcome of one run of a command, however it ended."""

    verdicts: ClassVar[Mapping[ExitCode, str]] = {}
    """Names of exit codes that mean something of their own to the command."""

    schema_version: Literal[1]
    run: RunInfo
    exit_code: int = Field(description="What the command exits with; docs/exit-codes.md.")
    verdict: str = Field(description="The name of the exit code: passed, thresholds_missed, ...")
    failure: str | None = Field(description="Why it is not 0, in a sentence.")
    warnings: list[str] = Field(description="Failures that the exit code does not tell are among them.")
    teardown: Teardown | None = Field(description="Null where the run made nothing.")
    machine: Machine

    @property
    def headline(self) -> str:
        """The verdict in words, and why."""
        if self.exit_code == 0:
            return self.success
        kind = self.verdict if self.verdict in self.verdicts.values() else "failed"
        return f"{kind}: {self.failure or self.verdict.replace('_', ' ')} (exit code {self.exit_code})"

    @property
    def success(self) -> str:
        """Meaning of exit code 0, in a sentence."""
        return "passed"
