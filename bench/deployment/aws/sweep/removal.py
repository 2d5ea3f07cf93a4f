"""The removal of resources: in order, again and again while anything moves, and once more for what reappears."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from bench.deployment.aws.sweep.clients import ServiceClients
from bench.deployment.aws.sweep.order import BY_NAME, KINDS
from bench.deployment.aws.sweep.refusals import Refusal, refusal_of, says_absent
from bench.deployment.aws.sweep.resource import Presence, RunResource

PAUSE_S = 10.0
PATIENCE = timedelta(minutes=20)
"""How long nothing may move before the rest is given up: interfaces of balancers stay for minutes, distributions for
a quarter of an hour."""
REAPPEARING_S = 60.0
"""After so long the last metrics of tasks that were stopped have come in."""

_LEAVING = Refusal("AWS has not finished removing it")
_PLACES = {kind.name: place for place, kind in enumerate(KINDS)}


class SweepClock(Protocol):
    """Time as a sweep knows it."""

    def now(self) -> datetime: ...

    def sleep(self, duration_s: float) -> None: ...


class WallClock:
    """The time of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, duration_s: float) -> None:
        sleep(duration_s)


@dataclass(frozen=True)
class Remaining:
    """A resource that could not be removed."""

    resource: RunResource
    reason: str

    def __str__(self) -> str:
        kind = BY_NAME[self.resource.kind]
        return f"{kind.name} {self.resource.id}: {self.reason}; remove it with `{kind.command(self.resource)}`"


def remove_all(
    aws: ServiceClients, resources: Iterable[RunResource], clock: SweepClock, note: Callable[[str], None]
) -> tuple[Remaining, ...]:
    """Remove resources; what remains, and why.

    Args:
        note: is told what is removed, and what is waited for.

    Raises:
        CredentialsExpiredError: the credentials are no longer valid. What was removed by then stays so.
    """
    given = sorted(resources, key=lambda resource: _PLACES[resource.kind])
    remaining = _removed(aws, given, clock, note)
    known = [one.resource for one in remaining]
    unstable = [one for one in given if BY_NAME[one.kind].reappears and one not in known]
    if unstable:
        clock.sleep(REAPPEARING_S)
        remaining += _removed(aws, unstable, clock, note)
    return remaining


def _removed(
    aws: ServiceClients, resources: list[RunResource], clock: SweepClock, note: Callable[[str], None]
) -> tuple[Remaining, ...]:
    final = list[Remaining]()
    pending, moved_at, noted = resources, clock.now(), ""
    while pending:
        waiting = list[Remaining]()
        for resource in pending:
            refusal = _refusal(aws, resource)
            if refusal is None:
                note(f"removed {resource.kind} {resource.id}")
            else:
                (final if refusal.is_final else waiting).append(Remaining(resource, refusal.reason))
        if len(waiting) < len(pending):
            moved_at = clock.now()
        elif clock.now() - moved_at >= PATIENCE:
            return (*final, *waiting)
        if waiting:
            first = waiting[0]
            text = f"waiting for {len(waiting)}: {first.resource.kind} {first.resource.id}: {first.reason}"
            if text != noted:
                note(text)
                noted = text
            clock.sleep(PAUSE_S)
        pending = [one.resource for one in waiting]
    return tuple(final)


def _refusal(aws: ServiceClients, resource: RunResource) -> Refusal | None:
    """Why a resource is not gone after one attempt; None where it is."""
    kind = BY_NAME[resource.kind]
    try:
        presence = kind.presence(aws, resource)
        if presence is Presence.PRESENT:
            kind.remove(aws, resource)
            presence = kind.presence(aws, resource)
        return None if presence is Presence.GONE else _LEAVING
    except ClientError as error:
        # Something else of it went meanwhile: the next look decides.
        return _LEAVING if says_absent(error) else refusal_of(error)
    except BotoCoreError as error:
        return refusal_of(error)
