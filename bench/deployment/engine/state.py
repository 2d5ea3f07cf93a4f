"""Deployment from the state of an engine: the one place where resources get the normal form of a graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bench.deployment.engine import Deployment
from bench.deployment.graph import Graph, Resource
from bench.deployment.pulumi_wire.property_values import path_text, plain, secret_paths
from bench.deployment.pulumi_wire.urns import STACK_TYPE, is_provider, type_and_name


def deployment(resources: Iterable[Mapping[str, Any]]) -> Deployment:
    """What a stack consists of, from its resources as `pulumi stack export --show-secrets` lists them."""
    outputs: Mapping[str, Any] = {}
    made: dict[str, Resource] = {}
    for entry in resources:
        if entry["type"] == STACK_TYPE:
            outputs = entry.get("outputs", {})
        elif not is_provider(entry["type"]):
            made[entry["urn"]] = _resource(entry)
    return Deployment(
        outputs=plain(outputs),
        secret_outputs=frozenset(str(path[0]) for path in secret_paths(outputs)),
        graph=Graph(made),
    )


def _resource(entry: Mapping[str, Any]) -> Resource:
    parent: str = entry.get("parent", "")
    inputs = entry.get("inputs", {})
    return Resource(
        urn=entry["urn"],
        type=entry["type"],
        name=type_and_name(entry["urn"])[1],
        parent="" if f"::{STACK_TYPE}::" in parent else parent,
        inputs=plain(inputs),
        secret_paths=frozenset(path_text(path) for path in secret_paths(inputs)),
        dependencies=tuple(sorted(entry.get("dependencies", ()))),
        id=entry.get("id", ""),
        outputs=plain(entry.get("outputs", {})),
    )
