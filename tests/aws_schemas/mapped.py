"""A Pulumi resource as CloudFormation writes it, so that it can be held against what is known of its types."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.deployment.graph import Resource

SUFFIX = "0a1b2c3"
"""Pulumi makes a name of the logical one, a hyphen and seven hexadecimal digits."""

REGION = {"region": "A template is of one region."}

Value = Any
Properties = dict[str, Any]


def same(properties: Properties) -> Properties:
    """The properties as they are."""
    return properties


@dataclass(frozen=True)
class Mapped:
    """How the inputs of one Pulumi type are written in CloudFormation.

    Where nothing else is said a property has the same name with a capital letter in front. Paths in Pulumi's names are
    written with dots, and lead through lists: `volumes.name`.
    """

    type: str
    """CloudFormation's type."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Path in Pulumi to path in CloudFormation: from the property's parent on, or with ^ in front from the top."""
    values: Mapping[str, Callable[[Value], Value]] = field(default_factory=dict)
    """Path in Pulumi to what makes CloudFormation's value; nothing below it is looked at further."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Path in Pulumi to a key in `attribute_list`, for the balancer's lists of keys and values."""
    attribute_list: str = ""
    omitted: Mapping[str, str] = field(default_factory=dict)
    """Path in Pulumi of what CloudFormation has no property for, and why that is."""
    below: str = ""
    """The property of CloudFormation's that holds all the others."""
    whole: Callable[[Properties], Properties] = same
    """What is done to the properties at last, where one resource here is a part of one there."""

    def properties(self, resource: Resource) -> Properties:
        """The resource's properties; the name that Pulumi gave it is one, as it must be one that AWS takes."""
        named = {**resource.inputs}
        if "name" in self.names:
            named["name"] = resource.outputs.get("name", f"{resource.name}-{SUFFIX}")
        top: Properties = {}
        parent = top
        if self.below:
            parent = top.setdefault(self.below, {})
        self._put_all(named, "", parent, top)
        return self.whole(top)

    def place(self, name: str) -> str:
        """Where CloudFormation has a property of the resource itself: a JSON pointer; empty where it has none."""
        if name in self.omitted or name in self.attributes:
            return ""
        place = self.names.get(name, _capital(name))
        if place.startswith("^") or not self.below:
            return "/properties/" + place.removeprefix("^").replace(".", "/")
        return f"/properties/{self.below}/" + place.replace(".", "/")

    def _put_all(self, given: Mapping[str, Value], path: str, parent: Properties, top: Properties) -> None:
        for key, value in given.items():
            at = f"{path}.{key}" if path else key
            if at in self.omitted:
                continue
            if at in self.attributes:
                entry = {"Key": self.attributes[at], "Value": _text(value)}
                top.setdefault(self.attribute_list, []).append(entry)
                continue
            name = self.names.get(at, _capital(key))
            if name == "^":  # its own properties are the parent's
                self._put_all(value, at, parent, top)
            elif name.startswith("^"):
                _put(top, name[1:], self._written(value, at, top))
            else:
                _put(parent, name, self._written(value, at, top))

    def _written(self, value: Value, path: str, top: Properties) -> Value:
        if path in self.values:
            return self.values[path](value)
        if isinstance(value, Mapping):
            if path == "tags":
                return pairs(value)
            written: Properties = {}
            self._put_all(value, path, written, top)
            return written
        if isinstance(value, list):
            return [self._item(item, path, top) for item in value]
        return value

    def _item(self, value: Value, path: str, top: Properties) -> Value:
        if not isinstance(value, Mapping):
            return value
        written: Properties = {}
        self._put_all(value, path, written, top)
        return written


def pairs(tags: Mapping[str, str]) -> list[Properties]:
    """Tags as most types have them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def listed(value: Value) -> list[Value]:
    """The only one of a list."""
    return [value]


def capitals(value: Value) -> Value:
    """Every key with a capital letter in front, but for those of maps that are the user's own."""
    if isinstance(value, Mapping):
        return {
            _capital(key): item if key in ("options", "dockerLabels") else capitals(item) for key, item in value.items()
        }
    return [capitals(item) for item in value] if isinstance(value, list) else value


def document(text: str) -> Value:
    """A policy, which is text here and an object there."""
    return json.loads(text)


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _text(value: Value) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _put(target: Properties, path: str, value: Value) -> None:
    *parents, last = path.split(".")
    for name in parents:
        target = target.setdefault(name, {})
    if isinstance(target.get(last), dict) and isinstance(value, dict):
        target[last] |= value
    else:
        target[last] = value
