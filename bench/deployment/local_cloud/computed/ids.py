"""Forms of ids and ARNs that many types have in common."""

from __future__ import annotations

import uuid

from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def hex_id(prefix: str) -> Compute:
    """A resource whose id is a prefix and digits."""
    return lambda origin, inputs: (f"{prefix}-0{origin.digest[:16]}", {})


def with_arn(prefix: str, service: str, path: str) -> Compute:
    """As `hex_id`, with an ARN that ends in the id."""

    def compute(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
        id_ = f"{prefix}-0{origin.digest[:16]}"
        return id_, {"arn": origin.arn(service, f"{path}/{id_}")}

    return compute


def named(service: str, path: str, *, regional: bool = True) -> Compute:
    """A resource whose id is its name."""

    def compute(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
        name = inputs.get("name", origin.physical_name)
        return name, {"name": name, "arn": origin.arn(service, f"{path}{name}", regional=regional)}

    return compute


def named_by_arn(service: str, path: str) -> Compute:
    """A resource whose id is its ARN."""

    def compute(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
        name = inputs.get("name", origin.physical_name)
        arn = origin.arn(service, f"{path}{name}")
        return arn, {"name": name, "arn": arn}

    return compute


def association(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    """A resource that ties two others together; nobody uses its id."""
    return f"{origin.name}-{origin.digest[:8]}", {}


def uuid_of(origin: Origin) -> str:
    """An id as many services give it."""
    return str(uuid.UUID(origin.digest[:32]))
