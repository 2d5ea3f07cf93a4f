"""A sweep: remove what was found, and look again for what reappears."""

from __future__ import annotations

from collections.abc import Callable

from bench.deployment.aws.run_tags import RunTags
from bench.deployment.aws.session import AwsSession
from bench.deployment.aws.sweep.clients import ServiceClients
from bench.deployment.aws.sweep.removal import Remaining, SweepClock, WallClock, remove_all
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


def remove_run(
    session: AwsSession,
    run: str,
    *,
    clock: SweepClock | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> tuple[str, ...]:
    """Remove all that a run has made, expired or not, without its Pulumi state; what is left, in words.

    Args:
        run: as its tags name it.
        note: is told what is removed, and what is waited for.

    Raises:
        UnavailableError: AWS cannot be reached, or fails.
        CredentialsExpiredError: the credentials are no longer valid. The next call goes on from there.
    """

    def is_of_run(tags: RunTags) -> bool:
        return tags.run == run

    aws = ServiceClients(session)
    found = survey(aws, is_of_run)
    remaining = sweep_away(aws, found, is_of_run, clock or WallClock(), note)
    return (*map(str, remaining), *found.unseen_in_words)
