"""Kinds of values that several settings have, and how a setting's kind reads in a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from typing import Annotated, Any

import pulumi
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from pypiserver_stack.settings.problems import Problem

Count = Annotated[int, Field(ge=1, le=1000)]


class Group(BaseModel):
    """Settings that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    def contradictions(self) -> Iterable[Problem]:
        """What the settings of this group say against each other."""
        return ()

    def cautions(self) -> Iterable[str]:
        """What is allowed, and should be known."""
        return ()


def reference(pattern: str, takes: str) -> Any:
    """The kind of a name or ARN of something that exists already; another program may give it as an Output.

    Args:
        pattern: what the whole text matches.
        takes: the same in words.
    """
    matches = re.compile(pattern, re.ASCII).fullmatch

    def check(value: object) -> object:
        if isinstance(value, str) and not matches(value):
            raise ValueError(value)
        return value

    schema = {"type": "string", "pattern": f"^{pattern}$", "takes": takes}
    return Annotated[str | pulumi.Output[Any], AfterValidator(check), WithJsonSchema(schema)]


def arn(service: str, resource: str, takes: str) -> Any:
    """The kind of an ARN of one service; `resource` is a pattern of what follows region and account."""
    return reference(rf"arn:aws[a-z-]*:{service}:[a-z0-9-]*:\d{{0,12}}:{resource}", takes)


def _range_of_addresses(value: str) -> str:
    return str(ip_network(value))  # a ValueError where it is none, or has bits behind its prefix


Cidr = Annotated[
    str,
    AfterValidator(_range_of_addresses),
    WithJsonSchema({"type": "string", "takes": "a range of IPv4 or IPv6 addresses such as 10.0.0.0/8"}),
]


def _items(value: object) -> object:
    """A list as Pulumi passes one, which is JSON, or texts with commas between."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            return value  # which is no list: refused
    return [item.strip() for item in value.split(",") if item.strip()]


LISTED = BeforeValidator(_items)
"""Makes a tuple of what a configuration has for it: `Annotated[tuple[str, ...], LISTED]`."""


def in_words(schema: Mapping[str, Any]) -> str:
    """Which values a setting of this JSON schema takes."""
    if "takes" not in schema:
        schema = next((option for option in schema.get("anyOf", ()) if option.get("type") != "null"), schema)
    if "takes" in schema:
        return str(schema["takes"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    match schema.get("type"):
        case "integer":
            return f"a whole number from {schema['minimum']} to {schema['maximum']}"
        case "number":
            return f"a number from {schema['minimum']:g} to {schema['maximum']:g}"
        case "boolean":
            return "true or false"
        case "array":
            return f"a list, each {in_words(schema['items'])}"
        case _:
            return f"text that matches {schema['pattern']}" if "pattern" in schema else "text"
