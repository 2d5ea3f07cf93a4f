"""Origin of a resource's computed outputs, and templates of these."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

REGION = "us-west-2"
ACCOUNT_ID = "123456789012"

Inputs = Mapping[str, Any]
Computed = dict[str, Any]


@dataclass(frozen=True)
class Origin:
    """Source of a resource's ids, and the region that it is in."""

    urn: str
    digest: str
    """64 hexadecimal digits, from the URN and the number: both engines and every run give the same ids."""
    entropy: bytes
    """What generated passwords come from."""
    number: int = 1
    """Its place in the sequence of resources with this URN, from 1: each gets ids of its own."""
    revision: int = 1
    """How often the resource was made or changed."""
    region: str = REGION

    @property
    def logical_name(self) -> str:
        """The last part of its URN."""
        return self.urn.rsplit("::", 1)[1]

    @property
    def physical_name(self) -> str:
        """The name AWS knows it by: the logical one with a suffix, as Pulumi names what is given no name."""
        return f"{self.logical_name}-{self.digest[:7]}"

    @property
    def uuid(self) -> str:
        """An id as many services give it."""
        return str(uuid.UUID(self.digest[:32]))

    def arn(self, service: str, path: str) -> str:
        """An ARN in this region."""
        return f"arn:aws:{service}:{self.region}:{ACCOUNT_ID}:{path}"


_FIELDS = ("digest", "uuid", "region", "logical_name", "physical_name")

Compute = Callable[[Origin, Inputs], tuple[str, Computed]]
"""Gives the id and the computed outputs of a resource of one type."""


def template(id_: str, **outputs: str) -> Compute:
    """A resource whose id and outputs are texts with fields in braces.

    A field is an input, an attribute of the origin, `DIGEST`, which is the digest in capitals, or `name`, which is the
    physical name where the inputs give none. Outputs may hold the `id`.
    """

    def compute(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
        fields = {"name": origin.physical_name, **inputs, "DIGEST": origin.digest.upper()}
        fields |= {field: getattr(origin, field) for field in _FIELDS}
        fields["id"] = id_.format_map(fields)
        return fields["id"], {key: text.format_map(fields) for key, text in outputs.items()}

    return compute


def arn(service: str, path: str) -> str:
    """The text of an ARN in the resource's region."""
    return f"arn:aws:{service}:{{region}}:{ACCOUNT_ID}:{path}"


def global_arn(service: str, path: str) -> str:
    """The text of an ARN of a service without regions."""
    return f"arn:aws:{service}::{ACCOUNT_ID}:{path}"


def named(arn_: str) -> Compute:
    """A resource whose id is its name."""
    return template("{name}", name="{name}", arn=arn_)


def named_by_arn(service: str, path: str) -> Compute:
    """A resource that has a name, and whose id is its ARN."""
    return template(arn(service, path), name="{name}", arn="{id}")
