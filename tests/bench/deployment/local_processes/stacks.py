"""Graphs with one thing altered, and what they describe, running."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.deployment.graph import Graph
from tests.bench.deployment.local_processes.rolling_stack import RollingStack

ROOT = Path(__file__).parents[4]
SERVICE = "aws:ecs/service:Service"
TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
Change = Callable[[dict[str, Any]], object]


def altered(graph: Graph, type_: str, change: Change, **wanted: Any) -> Graph:
    """The graph with the inputs of one resource changed, and its outputs with them.

    Args:
        wanted: outputs of the resource, where there are several of its type.
    """
    resource = graph.one(type_, **wanted)
    inputs = json.loads(json.dumps(resource.inputs))
    change(inputs)
    changed = replace(resource, inputs=inputs, outputs={**resource.outputs, **inputs})
    return Graph({**graph.resources, resource.urn: changed})


def with_container(graph: Graph, change: Change) -> Graph:
    def change_definition(inputs: dict[str, Any]) -> None:
        containers = json.loads(inputs["containerDefinitions"])
        change(containers[0])
        inputs["containerDefinitions"] = json.dumps(containers)

    return altered(graph, TASK_DEFINITION, change_definition)


@contextmanager
def running(graph: Graph, folder: Path) -> Iterator[RollingStack]:
    """What the graph describes, with as many tasks as it asks for."""
    stack = RollingStack(graph, folder)
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


def two_tasks(graph: Graph) -> Graph:
    return altered(graph, SERVICE, lambda inputs: inputs.update(desiredCount=2))


def one_task(graph: Graph) -> Graph:
    return altered(graph, SERVICE, lambda inputs: inputs.update(desiredCount=1))


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
