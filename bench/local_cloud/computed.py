"""What AWS would compute: ids, ARNs, DNS names and the answers to provider functions, per resource type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

INVOKES: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {}


@dataclass(frozen=True)
class Identity:
    """Where a resource's ids come from: the hash of its URN, and whose cloud it is in."""

    urn: str
    digest: str
    """64 hexadecimal digits."""
    region: str
    account: str

    @property
    def name(self) -> str:
        """The resource's logical name: the last part of its URN."""
        return self.urn.rsplit("::", 1)[1]


def computed_outputs(type_: str, identity: Identity, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The id and the computed outputs of a resource of this type."""
    return f"{identity.name}-{identity.digest[:8]}", {}
