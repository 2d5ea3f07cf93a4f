"""Removal of a stack by its folder, whatever became of the command that made it."""

from __future__ import annotations

from collections.abc import Callable

from bench.common.failures import UsageError
from bench.deployment.aws.session import AwsSession
from bench.deployment.aws.stacks.cli_processes import end_cli_of
from bench.deployment.aws.stacks.cloud import AwsCloud
from bench.deployment.aws.stacks.stack import AwsStack
from bench.deployment.aws.stacks.stack_folder import StackFolder, StackRecord
from bench.deployment.engine.automation import OnProgress


def remove_stack(
    folder: StackFolder, note: Callable[[str], None], on_progress: OnProgress | None = None
) -> tuple[str, ...]:
    """Remove every resource of a stack, and its folder; returns what is left, in words.

    Args:
        note: see `AwsStack.remove`.
        on_progress: see `AutomationEngine`.

    Raises:
        UsageError: another command works on it, its record is damaged, or the credentials are of another account.
        UnavailableError: there are no credentials, or they are refused.
    """
    with folder.locked():
        end_cli_of(folder, AwsCloud.interrupt_patience_s)
        return AwsStack(folder, session_of(folder.read()), on_progress).remove(note)


def session_of(record: StackRecord) -> AwsSession:
    """Access to the account and region of a stack, as the identity that made it or another of its account.

    Raises:
        UsageError: the credentials of this shell are of another account.
        UnavailableError: there are none, or they are refused.
    """
    session = AwsSession.open(record.region, record.assumed_role_arn, record.values.get("aws:profile"))
    if session.account_id != record.account_id:
        raise UsageError(
            f"the stack {record.name} is in the account {record.account_id}, and the credentials of this shell are of "
            f"{session.account_id}: set AWS_PROFILE to one of the stack's account"
        )
    return session
