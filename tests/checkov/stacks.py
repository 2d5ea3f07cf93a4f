"""The deployments that are scanned."""

from __future__ import annotations

from bench.deployment.engine import StackConfig
from bench.deployment.graph import Graph
from tests.evaluation_cache import deployment_of
from tests.pypiserver_stack.support.evaluation import evaluated
from tests.pypiserver_stack.support.every_option import OPTIONS

PROJECT = "pypiserver"

_EVERY_OPTION = (
    "HTTPS and a zone",
    "three zones without NAT",
    "storage and copies",
    "watching",
    "scaling",
    "hosts",
    "credentials",
)


def graphs() -> dict[str, Graph]:
    """By name: what a user's first stack is, all options that go together, CloudFront, which not all of
    them go with, and the two stacks of the benchmark."""
    zone = {"zone_id": "Z0123456789ABCDEFGHIJ"}
    overrides = (override.split("=", 1) for option in _EVERY_OPTION for override in OPTIONS[option])
    everything = {"profile": "tested", **dict(overrides)}
    return {
        "default": _own_stack(zone),
        "every-option": _own_stack(everything),
        "cloudfront": _own_stack(dict(override.split("=", 1) for override in OPTIONS["CloudFront"])),
        **{stack: evaluated(stack).graph for stack in ("stress", "peer")},
    }


def _own_stack(settings: dict[str, str]) -> Graph:
    values = {f"{PROJECT}:{key}": value for key, value in settings.items()}
    return deployment_of(StackConfig(PROJECT, "production", values)).graph
