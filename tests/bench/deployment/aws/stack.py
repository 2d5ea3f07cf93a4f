"""The stress stack as its resolved graph describes it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from bench.deployment.aws.observe.handles import StackHandles, read_handles
from bench.deployment.stack_config import PROJECT_FOLDER, load_stack
from tests.evaluation_cache import deployment_of


@cache
def _handles() -> StackHandles:
    return read_handles(deployment_of(load_stack(PROJECT_FOLDER, "stress")[0]).graph)


def handles(**changes: Any) -> StackHandles:
    """Its handles, with changes."""
    return replace(_handles(), **changes)
