"""A graph rendered as a Terraform plan, in the form of `terraform show -json`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.deployment.graph import Graph, Resource
from tests.checkov.terraform_types import Arguments, arguments, snake, terraform_type

RENAMED = {("aws_sns_topic_subscription", "topic"): "topic_arn"}
"""Arguments that Pulumi gives a name of its own: neither Terraform's, nor its plural."""


class UnknownArgumentError(LookupError):
    """Terraform has no such argument."""


def rendered(graph: Graph) -> dict[str, Any]:
    """The plan of a deployment that makes every resource of AWS's in `graph`.

    As in a real plan, what only AWS knows (ids, ARNs) is left out where an argument is nothing but that, and the
    configuration says what it refers to. Policies and other texts that merely contain it are whole, as in the plan of
    a deployment that stands: what they say is looked at, too.

    What is secret is left out too: it is on no disk.

    Raises:
        UnknownArgumentError: Terraform has no such argument.
        KeyError: nobody has read what arguments a type has.
    """
    planned, configured, changes = [], [], []
    for resource in graph:
        if not _is_of_aws(resource):
            continue
        one = _Rendering(resource, graph)
        head = {"address": one.address, "mode": "managed", "type": one.type, "name": one.name}
        planned.append({**head, "provider_name": "registry.terraform.io/hashicorp/aws", "values": one.values})
        configured.append({**head, "provider_config_key": "aws", "expressions": one.expressions})
        change = {"actions": ["create"], "before": None, "after": one.values, "after_unknown": {"id": True}}
        changes.append({**head, "change": change})
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": planned}},
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": configured}},
    }


def _is_of_aws(resource: Resource) -> bool:
    """Not a component, nor another provider's."""
    return resource.type.startswith("aws:")


def address(resource: Resource) -> str:
    """`aws_vpc.net`, as a finding names a resource."""
    return f"{terraform_type(resource.type)}.{_local_name(resource)}"


def _local_name(resource: Resource) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", resource.name)


class _Rendering:
    """One resource of a plan."""

    def __init__(self, resource: Resource, graph: Graph) -> None:
        self.type = terraform_type(resource.type)
        self.name = _local_name(resource)
        self.address = address(resource)
        self._refers_to = {
            value: _Reference(address(dependency), snake(name))
            for dependency in (graph.resources[urn] for urn in resource.dependencies if urn in graph.resources)
            if _is_of_aws(dependency)
            for name, value in _computed(dependency)
        }
        self._secret = {path.partition(".")[0].partition("[")[0] for path in resource.secret_paths}
        self.values, self.expressions = self._block(resource.inputs, arguments()[self.type])

    def _block(self, given: Mapping[str, Any], known: Arguments | str) -> tuple[dict[str, Any], dict[str, Any]]:
        values: dict[str, Any] = {}
        expressions: dict[str, Any] = {}
        for key, value in given.items():
            name, held = self._argument(key, known)
            references = sorted(self._references(value))
            if isinstance(held, dict) or (held == "any" and not _is_simple(value)):
                blocks = [self._block(one, held) for one in (value if isinstance(value, list) else [value])]
                values[name], expressions[name] = [list(part) for part in zip(*blocks, strict=True)] or ([], [])
            elif references and self._is_unknown(value):
                expressions[name] = {"references": references}
            elif key not in self._secret:
                values[name] = value
                expressions[name] = {"references": references} if references else {"constant_value": value}
        return values, expressions

    def _argument(self, key: str, known: Arguments | str) -> tuple[str, Any]:
        name = RENAMED.get((self.type, key), snake(key))
        if isinstance(known, str):
            return name, known
        singular = [one for one in known if name in _plurals(one)]
        if name not in known and len(singular) == 1:
            name = singular[0]
        if name not in known:
            raise UnknownArgumentError(f"{self.address}: Terraform knows no argument for {key}")
        return name, known[name]

    def _is_unknown(self, value: Any) -> bool:
        values = value if isinstance(value, list) else [value]
        return any(isinstance(one, str) and one in self._refers_to for one in values)

    def _references(self, value: Any) -> set[str]:
        return {
            part
            for text in _texts(value)
            for known, reference in self._refers_to.items()
            # Only what is not the whole of a reference may hold several, or parts that are none.
            if known == text or (text not in self._refers_to and known in text)
            for part in (f"{reference.address}.{reference.attribute}", reference.address)
        }


@dataclass(frozen=True)
class _Reference:
    address: str
    attribute: str


def _computed(resource: Resource) -> Iterator[tuple[str, str]]:
    """What AWS alone knows of a resource, and no other resource states: long enough to be nothing else."""
    stated = {text for value in resource.inputs.values() for text in _texts(value)}
    for name, value in {"id": resource.id, **resource.outputs}.items():
        if isinstance(value, str) and len(value) > 8 and value not in stated:
            yield name, value


def _plurals(name: str) -> set[str]:
    return {f"{name}s", f"{name}es", f"{name[:-1]}ies"}


def _is_simple(value: Any) -> bool:
    return not isinstance(value, Mapping | list)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str):
        yield value
