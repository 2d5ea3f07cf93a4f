"""Access to AWS's API: who calls, in which account and region.

Credentials come from the usual chain of AWS's SDKs (environment, profile, SSO, role of the machine), and from a role
that is assumed with them. `AWS_ENDPOINT_URL`, which every SDK of AWS heeds, points the calls elsewhere.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.common.failures import UnavailableError, UsageError

if TYPE_CHECKING:
    import boto3

_SESSION_NAME = "pypiserver-bench"
# AWS throttles bursts of calls; these retries wait longer each time.
_RETRIES = {"mode": "adaptive", "max_attempts": 10}


@dataclass(frozen=True)
class AwsSession:
    """Calls to AWS as one identity in one region."""

    region: str
    assumed_role_arn: str | None = None
    profile: str | None = None

    @classmethod
    def open(cls, region: str | None, assumed_role_arn: str | None = None, profile: str | None = None) -> AwsSession:
        """The session of this shell, checked by asking AWS who calls.

        Args:
            region: None: the one of the environment or the profile.
            profile: None: the one of the environment.

        Raises:
            UsageError: no region is configured, or the profile does not exist.
            UnavailableError: there are no credentials, AWS refuses them, or it cannot be reached.
        """
        import boto3
        from botocore.exceptions import ProfileNotFound

        try:
            found = region or boto3.session.Session(profile_name=profile).region_name
            session = cls(found or "", assumed_role_arn, profile)
            if found:
                session._identity  # noqa: B018  # asks who calls
        except ProfileNotFound as error:
            setting = "aws:profile" if profile else "AWS_PROFILE"
            raise UsageError(f"{setting}: {error}: name one of `aws configure list-profiles`") from error
        if not found:
            raise UsageError("no AWS region is configured: set -c aws:region=REGION, or AWS_REGION")
        return session

    def client(self, service: str, region: str | None = None) -> Any:
        """A client of boto3, one for each service and region; several threads may use it."""
        key = service, region or self.region
        if key not in self._clients:
            self._clients[key] = self._new_client(*key)
        return self._clients[key]

    @property
    def account_id(self) -> str:
        return str(self._identity["Account"])

    @property
    def caller_arn(self) -> str:
        """ARN of who calls: a user, or a role in a session."""
        return str(self._identity["Arn"])

    @cached_property
    def _clients(self) -> dict[tuple[str, str], Any]:
        return {}

    def _new_client(self, service: str, region: str) -> Any:
        from botocore.config import Config

        # Who sets the SDK's own variable wants it so.
        retries = None if "AWS_MAX_ATTEMPTS" in os.environ else _RETRIES
        config = Config(retries=retries, user_agent_extra=_SESSION_NAME)
        return self._boto.client(service, region_name=region, config=config)

    @cached_property
    def _boto(self) -> boto3.session.Session:
        import boto3
        import botocore.session

        if self.assumed_role_arn is None:
            return boto3.session.Session(region_name=self.region, profile_name=self.profile)
        from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

        own = botocore.session.Session(profile=self.profile)
        credentials = own.get_credentials()
        if credentials is None:
            raise _no_credentials()
        fetcher = AssumeRoleCredentialFetcher(
            lambda *args, **kwargs: own.create_client(*args, **{"region_name": self.region, **kwargs}),
            credentials,
            self.assumed_role_arn,
            extra_args={"RoleSessionName": _SESSION_NAME},
        )
        assuming = botocore.session.get_session()
        assuming._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
        return boto3.session.Session(botocore_session=assuming, region_name=self.region)

    @cached_property
    def _identity(self) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

        try:
            return self.client("sts").get_caller_identity()
        except (NoCredentialsError, PartialCredentialsError):
            raise _no_credentials() from None
        except ClientError as error:
            role = f" to assume {self.assumed_role_arn}" if self.assumed_role_arn else ""
            raise UnavailableError(
                f"AWS refuses the credentials{role}: {error.response['Error'].get('Message') or error}: renew them, "
                "with `aws sso login` where they come from SSO"
            ) from error
        except BotoCoreError as error:
            raise UnavailableError(f"AWS cannot be asked who calls: {error}") from error


def reason(error: Exception) -> str:
    """Why AWS refused a call, in a line: the code and the message of its answer, which may be a whole page."""
    response = getattr(error, "response", {}).get("Error", {})
    lines = str(response.get("Message") or error).strip().splitlines()
    code = response.get("Code", type(error).__name__)
    return f"{code}: {lines[0]}" if lines and not lines[0].startswith("<") else str(code)


def _no_credentials() -> UnavailableError:
    return UnavailableError(
        "there are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where "
        "a role is attached"
    )
