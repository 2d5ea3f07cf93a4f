"""What runs have left in an account: found by tags, confirmed by each service itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from bench.common.failures import UnavailableError
from bench.deployment.aws.run_tags import RunTags
from bench.deployment.aws.sweep.clients import ServiceClients
from bench.deployment.aws.sweep.kind import ResourceKind
from bench.deployment.aws.sweep.lists import Lists
from bench.deployment.aws.sweep.order import BY_NAME, KINDS
from bench.deployment.aws.sweep.refusals import refusal_of, says_absent, says_denied
from bench.deployment.aws.sweep.resource import Presence, RunResource

_SEARCHES = 3


@dataclass(frozen=True)
class Survey:
    """One look at everything."""

    resources: tuple[RunResource, ...]
    """All that exists of the runs that were asked for, in the order of removal."""
    unseen: Mapping[str, str]
    """Kinds that the caller may not list, and why."""

    @property
    def unseen_in_words(self) -> tuple[str, ...]:
        return tuple(
            f"{BY_NAME[kind].plural}, if there are any: {reason}; give this identity the policies of `bench policy`"
            for kind, reason in self.unseen.items()
        )


def survey(aws: ServiceClients, wanted: Callable[[RunTags], bool]) -> Survey:
    """Look for everything, parents before what belongs to them.

    Args:
        wanted: which runs' resources are asked for. Nothing without a run's tags ever is.

    Raises:
        UnavailableError: AWS cannot be reached, or fails.
        CredentialsExpiredError: the credentials are no longer valid.
    """
    lists = Lists(aws)
    unseen = dict[str, str]()
    for kind in reversed(KINDS):
        try:
            lists.found[kind.name] = _all_existing(kind, lists, wanted)
        except (ClientError, BotoCoreError) as error:
            reason = refusal_of(error).reason
            if not (isinstance(error, ClientError) and says_denied(error)):
                raise UnavailableError(f"the account cannot be searched for {kind.plural}: {reason}") from error
            unseen[kind.name] = reason
    return Survey(tuple(resource for kind in KINDS for resource in lists.of(kind.name)), unseen)


def _all_existing(kind: ResourceKind, lists: Lists, wanted: Callable[[RunTags], bool]) -> tuple[RunResource, ...]:
    """Searched again where others delete something between a list and a question about what is in it."""
    for _ in range(_SEARCHES - 1):
        try:
            return tuple(_existing(kind, lists, wanted))
        except ClientError as error:
            if not says_absent(error):
                raise
    return tuple(_existing(kind, lists, wanted))


def _existing(kind: ResourceKind, lists: Lists, wanted: Callable[[RunTags], bool]) -> Iterator[RunResource]:
    for sighting in kind.find(lists):
        run = RunTags.of(sighting.tags)
        if run is None or not wanted(run):
            continue
        resource = RunResource(kind.name, run, sighting)
        if kind.presence(lists.aws, resource) is not Presence.GONE:
            yield resource
