"""The program evaluated without an engine: what tests of its resources look at."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bench.deployment.engine import Deployment
from bench.deployment.stack_config import load_stack
from pypiserver_stack.hosts.user_data import decoded
from tests.evaluation_cache import deployment_of

ROOT = Path(__file__).parents[3]


@cache
def evaluated(stack: str = "stress", overrides: tuple[str, ...] = ()) -> Deployment:
    config, _ = load_stack(ROOT, stack, overrides)
    return deployment_of(config)


def inputs(type_: str, *overrides: str) -> dict[str, Any]:
    return dict(evaluated("stress", overrides).graph.one(type_).inputs)


def container(*overrides: str, stack: str = "stress") -> dict[str, Any]:
    definition = evaluated(stack, overrides).graph.one("aws:ecs/taskDefinition:TaskDefinition")
    (only,) = json.loads(definition.inputs["containerDefinitions"])
    return dict(only)


def user_data(stack: str = "stress", *overrides: str) -> dict[str, Any]:
    template = evaluated(stack, overrides).graph.one("aws:ec2/launchTemplate:LaunchTemplate")
    loaded: dict[str, Any] = yaml.safe_load(decoded(template.inputs["userData"]))
    return loaded


def variables(definition: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in definition["environment"]}
