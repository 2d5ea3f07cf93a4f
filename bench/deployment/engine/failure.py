"""From whatever an evaluation raised to the sentence that a person can act on."""

from __future__ import annotations

from collections.abc import Sequence

from pulumi import RunError
from pulumi.automation import CommandError

from bench.common.failures import UnavailableError, UsageError
from bench.deployment.local_cloud.resources import CloudError
from pypiserver_stack.rotate.command_error import gist
from pypiserver_stack.settings import ConfigurationError


def failure(error: Exception, refusals: Sequence[str]) -> Exception:
    """What an engine's `up` raises.

    Args:
        error: what the program raised or, where the program itself ran through, the engine.
        refusals: what the cloud would not do.

    Returns:
        `error` itself where it is neither the user's nor the cloud's: then it is a bug.
    """
    if isinstance(error, ConfigurationError):
        return UsageError(str(error))
    if refusals:
        return UnavailableError(refusals[0])
    if isinstance(error, CommandError):
        return UnavailableError(f"pulumi failed: {gist(error)}")
    if isinstance(error, CloudError | RunError):
        return UnavailableError(str(error))
    return error
