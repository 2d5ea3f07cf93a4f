"""Mistakes and cautions in a configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import pulumi


@dataclass(frozen=True)
class Problem:
    """One mistake: the key, the value it has, and what is allowed instead."""

    key: str
    value: object
    allowed: str
    others: frozenset[str] = field(default=frozenset(), compare=False)
    """Further keys that it depends on: where one of those is wrong itself, this says nothing new."""

    @property
    def setting(self) -> str:
        """The setting that the key is a part of: `host_users` of `host_users[0].name`."""
        return self.key.split("[", 1)[0]

    def __str__(self) -> str:
        return f"{self.key} = {self.value!r}: {self.allowed}"


@dataclass(frozen=True)
class Caution:
    """A warning about settings that are allowed."""

    sentence: str
    about: Literal["load", "operation"]
    """`load`: how the deployment answers requests, which a benchmark meets too. `operation`: what concerns only a
    deployment that stays up."""


class ConfigurationError(pulumi.RunError):
    """The configuration cannot be deployed. Pulumi prints a RunError as one sentence, without a traceback."""


class SettingsError(ConfigurationError):
    """The configuration holds mistakes; `problems` names them all."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


def as_configured(value: object) -> object:
    """A value as it is written in a configuration; an Output has no text yet."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(item if isinstance(item, str) else "(an output)" for item in value)
    return value
