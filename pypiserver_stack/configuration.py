"""The stack's configuration, as a plain mapping."""

from __future__ import annotations

import pulumi
from pulumi.runtime import config as runtime_config


def read_configuration() -> dict[str, str]:
    """Every key in the project's namespace and its text; what `pulumi.Config` cannot list, it only looks keys up."""
    prefix = f"{pulumi.get_project()}:"
    # The language host passes the configuration in the environment, an inline program in a context variable.
    everything = runtime_config.CONFIG.get() or runtime_config.get_config_env()
    return {key.removeprefix(prefix): value for key, value in everything.items() if key.startswith(prefix)}
