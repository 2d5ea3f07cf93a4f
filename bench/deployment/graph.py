"""The resolved resource graph: what a deployment consists of once every Output is known.

Both engines deliver it in the same normal form, so that two graphs can be compared with `==`: inputs and outputs are
plain JSON values (secrets unwrapped, whole-number floats made ints, absent values dropped), secret inputs are named by
their paths, and dependencies are sorted. The stack itself and the providers' configurations are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


class GraphError(LookupError):
    """The graph does not hold what was asked of it."""


@dataclass(frozen=True)
class Resource:
    """One resource: what it was given (`inputs`) and what the cloud computed (`outputs`, which include the inputs)."""

    urn: str
    type: str
    name: str
    parent: str
    """URN of the parent component; empty for what hangs from the stack itself."""
    inputs: Mapping[str, Any]
    secret_paths: frozenset[str]
    """Paths into `inputs` that are secret, such as `secretString` or `containerDefinitions[0].environment`."""
    dependencies: tuple[str, ...]
    """URNs, sorted."""
    id: str = ""
    """Physical id; empty for components."""
    outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Graph:
    """All resources of one deployment, by URN."""

    resources: Mapping[str, Resource]

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources.values())

    def __len__(self) -> int:
        return len(self.resources)

    def of_type(self, type_: str) -> tuple[Resource, ...]:
        """Every resource of a Pulumi type such as `aws:ecs/service:Service`, in URN order."""
        return tuple(r for _, r in sorted(self.resources.items()) if r.type == type_)

    def one(self, type_: str, **wanted: Any) -> Resource:
        """The only resource of a type whose outputs equal `wanted`.

        Raises:
            GraphError: there is none, or more than one.
        """
        found = [r for r in self.of_type(type_) if all(r.outputs.get(key) == value for key, value in wanted.items())]
        if len(found) != 1:
            criteria = "".join(f" with {key}={value!r}" for key, value in wanted.items())
            raise GraphError(f"expected one {type_}{criteria} in the resource graph, found {len(found)}")
        return found[0]
