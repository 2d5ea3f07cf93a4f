"""Origin of a resource's computed outputs: its URN, its account, and how many resources of this URN came before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Inputs = Mapping[str, Any]
Computed = dict[str, Any]


@dataclass(frozen=True)
class Origin:
    """Source of a resource's ids, and the account that it is in."""

    urn: str
    digest: str
    """64 hexadecimal digits, from the URN and the number: both engines and every run give the same ids."""
    region: str
    account: str
    entropy: bytes
    """What generated passwords come from."""
    number: int = 1
    """Its place in the sequence of resources with this URN, from 1: each gets ids of its own."""
    revision: int = 1
    """How often the resource was made or changed."""

    @property
    def name(self) -> str:
        """The resource's logical name: the last part of its URN."""
        return self.urn.rsplit("::", 1)[1]

    @property
    def physical_name(self) -> str:
        """The name AWS knows it by: the logical one with a suffix, as Pulumi names what is given no name."""
        return f"{self.name}-{self.digest[:7]}"

    def arn(self, service: str, path: str, *, regional: bool = True) -> str:
        """An ARN in this account."""
        return f"arn:aws:{service}:{self.region if regional else ''}:{self.account}:{path}"


Compute = Callable[[Origin, Inputs], tuple[str, Computed]]
"""Gives the id and the computed outputs of a resource of one type."""
