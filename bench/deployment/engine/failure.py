"""Error of an engine, made a sentence that a person can act on."""

from __future__ import annotations

from pulumi import RunError
from pulumi.automation import CommandError

from bench.common.failures import UnavailableError, UsageError
from bench.deployment.engine.cloud import CloudError
from pypiserver_stack.rotate.command_error import first_error
from pypiserver_stack.settings import ConfigurationError


def failure(error: Exception, of_program: Exception | None, of_cloud: Exception | None) -> Exception:
    """The error that an engine's `up` raises.

    Args:
        error: what the evaluation raised.
        of_program: what the program raised, if it did.
        of_cloud: the first request that failed, see `Evaluation.cause`.

    Returns:
        One of the given errors itself where it is neither the user's nor the cloud's: then it is a bug.
    """
    if isinstance(of_program, ConfigurationError):
        return UsageError(str(of_program))
    root = of_cloud or of_program or error
    if isinstance(root, CommandError):
        return UnavailableError(f"pulumi failed: {first_error(root)}")
    if isinstance(root, CloudError | RunError):
        return UnavailableError(str(root))
    return root
