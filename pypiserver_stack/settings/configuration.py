"""The stack's configuration as a plain mapping."""

from __future__ import annotations

import difflib

import pulumi
from pulumi.runtime import config as runtime_config

from pypiserver_stack.settings.problems import ConfigurationError

# How alike two namespaces are when one is the other with a letter or two wrong.
_MISTYPED = 0.8


def read_configuration() -> dict[str, str]:
    """Every key in the project's namespace and its text; what `pulumi.Config` cannot list, it only looks keys up.

    Raises:
        ConfigurationError: a namespace is nearly the project's: its key would be ignored.
    """
    project = pulumi.get_project()
    prefix = f"{project}:"
    # The language host passes the configuration in the environment, an inline program in a context variable.
    everything = runtime_config.CONFIG.get() or runtime_config.get_config_env()
    for key in everything:
        namespace = key.partition(":")[0]
        if namespace != project and difflib.get_close_matches(namespace, [project], cutoff=_MISTYPED):
            raise ConfigurationError(
                f"{key}: did you mean {project}:{key.partition(':')[2]}? The namespace is mistyped"
            )
    return {key.removeprefix(prefix): value for key, value in everything.items() if key.startswith(prefix)}
