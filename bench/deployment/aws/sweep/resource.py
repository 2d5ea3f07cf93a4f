"""Resources that runs have made, as a sweep finds them."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bench.deployment.aws.run_tags import RunTags


class Presence(enum.Enum):
    """What the service itself says of a resource."""

    PRESENT = "present"
    LEAVING = "being removed"
    GONE = "gone"


@dataclass(frozen=True)
class Sighting:
    """A resource that a list or a parent names. Lists show deleted ones for a while: each is looked at before use."""

    id: str
    tags: Mapping[str, str]
    """Its own, or its parent's where AWS takes none."""
    parent: str = ""
    """Id of what it belongs to, where it cannot be reached without."""
    region: str = ""
    """Region other than the session's."""
    made_at: datetime | None = None
    usd_per_hour: float = 0.0
    """List price while it exists; 0 where it costs nothing or next to nothing by itself."""


@dataclass(frozen=True)
class RunResource:
    """A resource of a run, as it exists in the account."""

    kind: str
    run: RunTags
    sighting: Sighting = field(repr=False)

    @property
    def id(self) -> str:
        return self.sighting.id

    @property
    def parent(self) -> str:
        return self.sighting.parent

    @property
    def region(self) -> str:
        return self.sighting.region

    @property
    def tags(self) -> Mapping[str, str]:
        return self.sighting.tags


def key_value_tags(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Tags as most services list them, by key."""
    return {tag["Key"]: tag["Value"] for tag in tags}


def lower_case_tags(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Tags as ECS lists them, by key."""
    return {tag["key"]: tag["value"] for tag in tags}
