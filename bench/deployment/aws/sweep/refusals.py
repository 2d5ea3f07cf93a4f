"""What the errors of AWS mean for a sweep: gone, not allowed, credentials expired, or to be tried again."""

from __future__ import annotations

import re
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError, NoCredentialsError, SSOError

_ABSENT = re.compile(r"NotFound|NoSuch|NotExist|NonExistent|^404$|InactiveException|\.Malformed$", re.IGNORECASE)
_ABSENT_IN_WORDS = re.compile(r"not found|does not exist|unable to describe", re.IGNORECASE)
_VAGUE = frozenset({"ValidationError", "ClientException", "InvalidParameterException", "InvalidRequestException"})
_DENIED = re.compile(r"AccessDenied|UnauthorizedOperation|AuthorizationError|NotAuthorized|^403$|Forbidden")
_EXPIRED = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "TokenRefreshRequired",
        "RequestExpired",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "AuthFailure",
    }
)


class CredentialsExpiredError(Exception):
    """The credentials are no longer valid; what is left can be removed with new ones."""


@dataclass(frozen=True)
class Refusal:
    """Why a resource is still there."""

    reason: str
    is_final: bool = False
    """Whether waiting changes nothing."""


def says_absent(error: ClientError) -> bool:
    """Whether an error says that what was asked for does not exist."""
    code, message = _code(error), error.response["Error"].get("Message", "")
    return bool(_ABSENT.search(code) or (code in _VAGUE and _ABSENT_IN_WORDS.search(message)))


def says_denied(error: ClientError) -> bool:
    """Whether an error says that the caller may not do this."""
    return bool(_DENIED.search(_code(error)))


def refusal_of(error: ClientError | BotoCoreError) -> Refusal:
    """Why a request failed.

    Raises:
        CredentialsExpiredError: every request will fail from now on.
    """
    if isinstance(error, NoCredentialsError | CredentialRetrievalError | SSOError):
        raise CredentialsExpiredError(str(error)) from error
    if not isinstance(error, ClientError):
        return Refusal(f"AWS cannot be reached: {error}")
    code = _code(error)
    if code in _EXPIRED:
        raise CredentialsExpiredError(error.response["Error"].get("Message") or code) from error
    if says_denied(error):
        return Refusal(f"not allowed: {error.operation_name}", is_final=True)
    message = " ".join(str(error.response["Error"].get("Message", "")).split())
    return Refusal(f"{error.operation_name} answered {code}{f': {message}' if message else ''}")


def _code(error: ClientError) -> str:
    return str(error.response["Error"].get("Code", ""))
