"""Why a call to AWS gave nothing, in the words of a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from bench.deployment.aws.session import reason

P = ParamSpec("P")
T = TypeVar("T")

_DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "Forbidden", "UnauthorizedOperation"}


@dataclass(frozen=True)
class Absence:
    """The reason why there is no value."""

    reason: str


def attempt(service: str, look: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Absence:
    """What a call gives; whatever it raises becomes the reason: a load that was paid for is not lost for a metric.

    Args:
        service: prefix of the service's actions in policies, such as `cloudwatch`.
    """
    try:
        return look(*args, **kwargs)
    except Exception as error:
        return Absence(reason_of(service, error))


def reason_of(service: str, error: Exception) -> str:
    """A reason such as `no permission for cloudwatch:GetMetricData`."""
    if isinstance(error, ClientError):
        denied = error.response["Error"].get("Code") in _DENIED
        action = f"{service}:{error.operation_name}"
        return f"no permission for {action}" if denied else f"{action} failed with {reason(error)}"
    if isinstance(error, BotoCoreError):
        return f"{service} cannot be reached: {error}"
    return f"{service} answered with something unexpected: {type(error).__name__}: {error}"
