"""Tags of everything that a run makes on AWS: whose it is, and when it has outlived its purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

RUN, OWNER, EXPIRES = "pypiserver-bench:run", "pypiserver-bench:owner", "pypiserver-bench:expires"


@dataclass(frozen=True)
class RunTags:
    """The tags of one run."""

    run: str
    """Name of the stack that the run made, unique in an account."""
    owner: str
    """ARN of the identity that made it."""
    expires_at: datetime
    """From then on `bench sweep` takes it for abandoned."""

    def as_tags(self) -> dict[str, str]:
        """The tags by key. Their values hold only characters that every service takes."""
        return {RUN: self.run, OWNER: self.owner, EXPIRES: f"{self.expires_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}

    @classmethod
    def of(cls, tags: Mapping[str, str]) -> RunTags | None:
        """The run that a resource with these tags belongs to; None where it belongs to none."""
        try:
            expires_at = datetime.strptime(tags[EXPIRES], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            return cls(tags[RUN], tags.get(OWNER, ""), expires_at)
        except (KeyError, ValueError):
            return None
