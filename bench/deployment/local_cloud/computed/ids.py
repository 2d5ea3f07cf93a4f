"""The kinds of ids and ARNs that many types have in common."""

from __future__ import annotations

import uuid

from bench.deployment.local_cloud.computed.identity import Compute, Computed, Identity, Inputs


def hex_id(prefix: str) -> Compute:
    """A resource whose id is a prefix and digits."""
    return lambda identity, inputs: (f"{prefix}-0{identity.digest[:16]}", {})


def with_arn(prefix: str, service: str, path: str) -> Compute:
    """As `hex_id`, with an ARN that ends in the id."""

    def compute(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
        id_ = f"{prefix}-0{identity.digest[:16]}"
        return id_, {"arn": identity.arn(service, f"{path}/{id_}")}

    return compute


def named(service: str, path: str, *, regional: bool = True) -> Compute:
    """A resource whose id is its name."""

    def compute(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
        name = inputs.get("name", identity.physical_name)
        return name, {"name": name, "arn": identity.arn(service, f"{path}{name}", regional=regional)}

    return compute


def named_by_arn(service: str, path: str) -> Compute:
    """A resource whose id is its ARN."""

    def compute(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
        name = inputs.get("name", identity.physical_name)
        arn = identity.arn(service, f"{path}{name}")
        return arn, {"name": name, "arn": arn}

    return compute


def association(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    """A resource that ties two others together; nobody uses its id."""
    return f"{identity.name}-{identity.digest[:8]}", {}


def uuid_of(identity: Identity) -> str:
    """An id as many services give it."""
    return str(uuid.UUID(identity.digest[:32]))
