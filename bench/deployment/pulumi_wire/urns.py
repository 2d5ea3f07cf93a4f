"""Names that the Pulumi engine gives to resources."""

from __future__ import annotations

STACK_TYPE = "pulumi:pulumi:Stack"


def is_provider(type_: str) -> bool:
    """Whether a resource is a provider's own configuration, which the engine keeps to itself."""
    return type_.startswith("pulumi:providers:")


def type_and_name(urn: str) -> tuple[str, str]:
    """The type and the logical name of a resource."""
    _, _, qualified_type, name = urn.split("::", 3)
    return qualified_type.rsplit("$", 1)[-1], name
