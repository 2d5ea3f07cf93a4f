"""A sweep: remove what was found, and look again for what reappears."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from bench.deployment.aws.run_tags import RunTags
from bench.deployment.aws.session import AwsSession
from bench.deployment.aws.sweep.clients import ServiceClients
from bench.deployment.aws.sweep.order import BY_NAME
from bench.deployment.aws.sweep.removal import Remaining, SweepClock, WallClock, remove_all
from bench.deployment.aws.sweep.resource import Presence, RunResource
from bench.deployment.aws.sweep.survey import Survey, survey


def sweep_away(
    aws: ServiceClients,
    found: Survey,
    wanted: Callable[[RunTags], bool],
    clock: SweepClock,
    note: Callable[[str], None],
) -> tuple[Remaining, ...]:
    """Remove what a survey has found, and what a second one finds beyond that; what remains.

    Raises:
        UnavailableError: AWS cannot be reached, or fails.
        CredentialsExpiredError: the credentials are no longer valid. The next sweep goes on from there.
    """
    remaining = remove_all(aws, found.resources, clock, note)
    if found.resources:
        known = {(one.resource.kind, one.resource.id) for one in remaining}
        late = [one for one in survey(aws, wanted).resources if (one.kind, one.id) not in known]
        remaining += remove_all(aws, late, clock, note)
    return remaining


def find_run(session: AwsSession, run: str) -> tuple[RunResource, ...]:
    """All that a run has made, expired or not.

    What takes no tags is found by its parent or by a name beside it: once those are gone, nothing tells whose it was.

    Raises:
        UnavailableError: AWS lets the caller list nothing, or cannot be reached.
        CredentialsExpiredError: the credentials are no longer valid.
    """
    return survey(ServiceClients(session), _is_of(run)).resources


def remove_run(
    session: AwsSession,
    run: str,
    *,
    known: Iterable[RunResource] = (),
    clock: SweepClock | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> tuple[str, ...]:
    """Remove all that a run has made, expired or not, without its Pulumi state; what is left, in words.

    Args:
        run: as its tags name it.
        known: what was found of it before, and may still exist.
        note: is told what is removed, and what is waited for.

    Raises:
        UnavailableError: AWS lets the caller list nothing, or cannot be reached.
        CredentialsExpiredError: the credentials are no longer valid. The next call goes on from there.
    """
    aws = ServiceClients(session)
    found = survey(aws, _is_of(run))
    names = {(one.kind, one.id) for one in found.resources}
    orphans = tuple(one for one in known if (one.kind, one.id) not in names and _exists(aws, one))
    everything = replace(found, resources=(*orphans, *found.resources))
    remaining = sweep_away(aws, everything, _is_of(run), clock or WallClock(), note)
    return (*map(str, remaining), *found.unseen_in_words)


def _is_of(run: str) -> Callable[[RunTags], bool]:
    return lambda tags: tags.run == run


def _exists(aws: ServiceClients, resource: RunResource) -> bool:
    """Whether it does, or whether nobody may ask: then its removal says why."""
    try:
        return BY_NAME[resource.kind].presence(aws, resource) is not Presence.GONE
    except (ClientError, BotoCoreError):
        return True
