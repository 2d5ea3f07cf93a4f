"""A new stack on AWS: its configuration, tags and folder, before anything of it is made."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bench.common.failures import UsageError
from bench.deployment.aws.ingress.access import Access
from bench.deployment.aws.run_tags import RunTags
from bench.deployment.aws.session import AwsSession
from bench.deployment.aws.stacks.stack_folder import NAME, NAME_TAKES, StackFolder, StackRecord
from bench.deployment.engine import StackConfig

# They would lead the providers to another account than the one that was looked at.
_CREDENTIALS = ("aws:accessKey", "aws:secretKey", "aws:token")


@dataclass(frozen=True)
class NewStack:
    """A stack to be made; `begin` makes its folder."""

    record: StackRecord
    makes_certificate: bool

    def planned(self, resource_count: int) -> NewStack:
        """The same, once it is known how many resources it is to have."""
        return replace(self, record=self.record.model_copy(update={"resource_count": resource_count}))

    def begin(self) -> StackFolder:
        """Make the folder with its record: from now on the stack can be found, and taken down.

        Raises:
            UsageError: there is a stack of this name.
        """
        folder = StackFolder.new(self.record.name)
        folder.write(self.record)
        return folder


def new_stack(
    name: str | None,
    config: StackConfig,
    session: AwsSession,
    access: Access,
    *,
    expires_after: timedelta,
    backend: str | None,
) -> NewStack:
    """A stack of this configuration.

    Args:
        name: by which this machine finds it again; None: the stack file's, with a suffix of its own.
        access: how its clients reach it.
        expires_after: from now on; then `bench sweep` takes it for abandoned.
        backend: URL of its Pulumi state; None: files in its folder.

    Raises:
        UsageError: the name is none, or the configuration holds credentials.
    """
    suffix = secrets.token_hex(3)
    if name is None:
        name = f"{''.join(letter if letter.isalnum() else '-' for letter in config.stack.lower())[:30]}-{suffix}"
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a stack on AWS: it takes {NAME_TAKES}")
    if given := [key for key in _CREDENTIALS if key in config.values or key in config.encrypted]:
        raise UsageError(f"{given[0]}: give credentials through AWS's own variables or a profile, not in a stack file")
    # Another machine may have a stack of the same name in the account.
    run = f"{name}-{suffix}" if not name.endswith(suffix) else name
    now = datetime.now(UTC).replace(microsecond=0)
    tags = RunTags(run, session.caller_arn, now + expires_after)
    own = {f"{config.project}:{key}": value for key, value in access.values.items()}
    # Pulumi would wait for the tasks without a word, and not know why they do not come.
    own[f"{config.project}:wait_for_steady_state"] = "false"
    values = {**config.values, **own, **_provider_values(config, session)}
    values[f"{config.project}:tags"] = json.dumps(_with(values.get(f"{config.project}:tags"), tags))
    record = StackRecord(
        name=name,
        run=run,
        phase="creating",
        project=config.project,
        values=values,
        encrypted=dict(config.encrypted),
        encryption_salt=config.encryption_salt,
        resource_count=0,
        region=session.region,
        account_id=session.account_id,
        owner=session.caller_arn,
        assumed_role_arn=session.assumed_role_arn,
        backend=backend,
        created_at=now,
        expires_at=now + expires_after,
    )
    return NewStack(record, access.makes_certificate)


def _provider_values(config: StackConfig, session: AwsSession) -> dict[str, str]:
    """Settings of the AWS provider that lead it to the session's account and region, and to no other."""
    values = {"aws:region": session.region, "aws:allowedAccountIds": json.dumps([session.account_id])}
    if session.assumed_role_arn is not None:
        role = {"roleArn": session.assumed_role_arn, "sessionName": "pypiserver-bench"}
        values["aws:assumeRoles"] = json.dumps([*_list(config.values.get("aws:assumeRoles")), role])
    return values


def _list(text: str | None) -> Sequence[object]:
    found: Sequence[object] = json.loads(text) if text else []
    return found


def _with(text: str | None, tags: RunTags) -> dict[str, str]:
    """The tags of a setting, as it was, and those of the run."""
    try:
        given = json.loads(text) if text else {}
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise UsageError(f'tags = {text!r}: expected a JSON object, such as {{"cost-center": "42"}}')
    return {**given, **tags.as_tags()}
