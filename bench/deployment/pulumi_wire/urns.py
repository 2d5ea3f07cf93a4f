"""Names that the Pulumi engine gives to resources."""

from __future__ import annotations

STACK_TYPE = "pulumi:pulumi:Stack"


def make_urn(project: str, stack: str, parent: str, type_: str, name: str) -> str:
    """The URN of a resource, with the types of all ancestors but the stack's. Source: the Go SDK's `urn.New`."""
    parent_types = parent.split("::")[2] if parent else STACK_TYPE
    qualified_type = type_ if parent_types == STACK_TYPE else f"{parent_types}${type_}"
    return f"urn:pulumi:{stack}::{project}::{qualified_type}::{name}"


def is_provider(type_: str) -> bool:
    """Whether a resource is a provider's own configuration, which the engine keeps to itself."""
    return type_.startswith("pulumi:providers:")


def type_and_name(urn: str) -> tuple[str, str]:
    """The type and the logical name of a resource."""
    _, _, qualified_type, name = urn.split("::", 3)
    return qualified_type.rsplit("$", 1)[-1], name
