"""Protocols of a cloud, as far as an engine needs one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class CloudError(Exception):
    """A request that the cloud refuses, as AWS would with an API error."""


class Evaluation(Protocol):
    """A cloud during one evaluation of the program."""

    @property
    def cause(self) -> Exception | None:
        """The first request that failed: a `CloudError` that says which and why, or a bug of the cloud's own.

        None where none failed, or where the providers pass their errors to the engine themselves.
        """


class Providers(Evaluation, Protocol):
    """The resource providers that the Pulumi CLI uses for one operation."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables with which the CLI finds the providers, or with which these find the cloud."""


class Monitor(Evaluation, Protocol):
    """The SDK's resource monitor, in this process: answers a program as the engine would."""

    @property
    def state(self) -> Sequence[Mapping[str, Any]]:
        """The registered resources in the form of an exported state; complete once the program has ended."""

    def close(self) -> None:
        """Refuse every further request: the program that still runs is to end."""


class Cloud(Protocol):
    """A cloud that the Pulumi CLI can make resources in."""

    interrupt_patience_s: float
    """How long an interrupted CLI may take to finish the requests that it has sent."""
    destroy_timeout_s: float
    """How long the deletion of a whole stack may take."""

    def providers(self) -> AbstractContextManager[Providers]:
        """Have the providers answer for one operation of the CLI."""

    @property
    def leftovers(self) -> tuple[str, ...]:
        """The URNs of all resources that exist."""


class InProcessCloud(Cloud, Protocol):
    """A cloud that also answers in this process: the embedded engine runs with no other."""

    def monitor(self, project: str, stack: str) -> Monitor:
        """A monitor for one evaluation of a stack's program."""

    def delete_all(self) -> None:
        """Delete every resource, the newest first. Refused ones stay, and are among `leftovers`."""
