"""The engine seam: something that evaluates the program against a cloud and can take it down again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from bench.deployment.graph import Graph


@dataclass(frozen=True)
class StackConfig:
    """Configuration of a stack: its file, and the overrides of the command line.

    `values` holds namespaced keys (`pypiserver:profile`) and their text, as Pulumi passes them to a program.
    """

    project: str
    stack: str
    values: Mapping[str, str]
    encrypted: Mapping[str, Any] = field(default_factory=dict)
    """Namespaced keys whose value is or holds a `secure:`, as the stack file has them."""
    encryption_salt: str = ""
    """What those were encrypted with, besides the passphrase; empty where it was no passphrase."""


@dataclass(frozen=True)
class Deployment:
    """Result of an engine: the program's exports in clear (never to be printed as a whole), and the resolved graph."""

    outputs: Mapping[str, Any]
    secret_outputs: frozenset[str]
    graph: Graph


class Engine(Protocol):
    """Evaluates the program. The program must not be able to tell which engine runs it."""

    @property
    def name(self) -> str:
        """`pulumi` or `embedded`, as `--engine` spells it and the report records it."""

    def up(self, config: StackConfig) -> Deployment:
        """Evaluate the program and make its resources.

        Raises:
            UsageError: the program refuses its settings.
            UnavailableError: a resource could not be made.
        """

    def down(self) -> tuple[str, ...]:
        """Delete every resource that was made, also after an `up` that failed or was interrupted.

        Returns the URNs of what could not be deleted; safe to call twice, and before `up`.
        """
