"""What a sweep knows of each kind of resource."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from bench.deployment.aws.sweep.clients import ServiceClients
from bench.deployment.aws.sweep.lists import Lists
from bench.deployment.aws.sweep.refusals import says_absent
from bench.deployment.aws.sweep.resource import Presence, RunResource, Sighting

Look = Callable[[ServiceClients, RunResource], Any]
Remove = Callable[[ServiceClients, RunResource], object]


@dataclass(frozen=True)
class ResourceKind:
    """One kind of resource: how it is found, looked at and removed."""

    name: str
    find: Callable[[Lists], Iterable[Sighting]]
    look: Look
    """Its `Presence`, or something that is true where it is present; may raise an error that says it is gone."""
    remove: Remove
    """Starts its removal, with all that stands in the way of it inside the resource."""
    by_hand: str
    """A command of the AWS CLI that removes it, with {id} and {parent}."""
    reappears: bool = False
    """Whether AWS may make it again after it was removed."""

    @property
    def plural(self) -> str:
        return f"{self.name[:-1]}ies" if self.name.endswith("y") else f"{self.name}s"

    def presence(self, aws: ServiceClients, resource: RunResource) -> Presence:
        """What the service says of a resource.

        Raises:
            ClientError: it says something else, such as that nobody may ask.
        """
        try:
            found = self.look(aws, resource)
        except ClientError as error:
            if says_absent(error):
                return Presence.GONE
            raise
        if isinstance(found, Presence):
            return found
        return Presence.PRESENT if found else Presence.GONE

    def command(self, resource: RunResource) -> str:
        """The command that removes a resource by hand."""
        region = f" --region {resource.region}" if resource.region else ""
        return self.by_hand.format(id=resource.id, parent=resource.parent) + region
