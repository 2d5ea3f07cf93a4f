"""What comes before a stack on AWS is made: the account looked at, the cost estimated, the user asked."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import click

from bench.commands.aws.estimate import RunCost, run_cost
from bench.commands.cost.bill import evaluated
from bench.common.failures import UnavailableError, UsageError
from bench.deployment.aws.ingress.access import Access, access_to, checked_cidr
from bench.deployment.aws.ingress.public_address import public_cidr
from bench.deployment.aws.preflight import look_before
from bench.deployment.aws.session import AwsSession
from bench.deployment.aws.stacks.new_stack import NewStack, new_stack
from bench.deployment.engine import Deployment, StackConfig
from bench.deployment.engine.pulumi_command import find_pulumi
from bench.deployment.local_cloud import ACCOUNT_ID, REGION
from pypiserver_stack.settings.types import PARTITIONS

_ROLE_ARN = re.compile(rf"arn:({'|'.join(PARTITIONS)}):iam::\d{{12}}:role/[\w+=,.@/-]+")
_BACKENDS = ("s3://", "https://", "file://", "gs://", "azblob://")


@dataclass(frozen=True)
class AwsChoices:
    """The options of a command that makes a stack on AWS."""

    expires_after: timedelta
    max_cost_usd: float
    yes: bool
    client_cidr: str | None
    is_private: bool
    assumed_role_arn: str | None
    backend: str | None


def prepared(
    name: str | None, config: StackConfig, overrides: Sequence[str], choices: AwsChoices, *, quiet: bool
) -> tuple[NewStack, AwsSession]:
    """A stack that may be made now, and access to its account.

    Raises:
        UsageError: an option or setting is wrong, the run is too dear, or the user does not agree to it.
        UnavailableError: there are no credentials, or something in the account would have the run fail.
    """
    _check(choices)
    find_pulumi()
    session = AwsSession.open(
        config.values.get("aws:region"), choices.assumed_role_arn, config.values.get("aws:profile")
    )
    cidr = None
    if not choices.is_private:
        cidr = checked_cidr(choices.client_cidr) if choices.client_cidr else asyncio.run(public_cidr())
    access = access_to(config, _names(overrides), cidr, is_private=choices.is_private)
    new = new_stack(name, config, session, access, expires_after=choices.expires_after, backend=choices.backend)
    planned = _planned(new.record.config, access, session)
    cost = run_cost(planned, choices.expires_after / timedelta(hours=1))
    _say(quiet, [f"account {session.account_id}, region {session.region}, as {session.caller_arn}", *cost.lines()])
    _refuse_what_would_fail(session, planned, cost, choices.max_cost_usd, quiet=quiet)
    if not choices.yes:
        _ask(new)
    return new.planned(len(planned.graph)), session


def _check(choices: AwsChoices) -> None:
    role, backend = choices.assumed_role_arn, choices.backend
    if role is not None and not _ROLE_ARN.fullmatch(role):
        raise UsageError(f"--assume-role {role}: not the ARN of an IAM role, such as arn:aws:iam::123456789012:role/ci")
    if backend is not None and not backend.startswith(_BACKENDS):
        raise UsageError(f"--backend {backend}: not a URL that begins with {', '.join(_BACKENDS)}")
    if choices.is_private and choices.client_cidr is not None:
        raise UsageError("--client-cidr with --private: a private balancer admits whom the stack file says")


def _names(overrides: Sequence[str]) -> set[str]:
    """The settings that the command line gives, without namespace."""
    return {override.partition("=")[0].rpartition(":")[2] for override in overrides}


def _planned(config: StackConfig, access: Access, session: AwsSession) -> Deployment:
    """The deployment as the local cloud has it, which knows one region and one account: ARNs are translated."""
    texts = {
        key: text.replace(session.region, REGION).replace(session.account_id, ACCOUNT_ID)
        for key, text in config.values.items()
        if not key.startswith("aws:")
    }
    if access.makes_certificate:
        certificate = f"arn:aws:acm:{REGION}:{ACCOUNT_ID}:certificate/00000000-0000-0000-0000-000000000000"
        texts[f"{config.project}:certificate_arn"] = certificate
    return evaluated(replace(config, values=texts, encrypted={}))


def _refuse_what_would_fail(
    session: AwsSession, planned: Deployment, cost: RunCost, max_cost_usd: float, *, quiet: bool
) -> None:
    if cost.total_usd > max_cost_usd:
        raise UsageError(
            f"--max-cost {max_cost_usd:g}: the run may cost {cost.total_usd:.2f} USD in {cost.hours:g} hours: "
            "raise it, or use --expires with less time, or a smaller profile"
        )
    found = look_before(session, planned)
    _say(quiet, [f"Warning: {sentence}" for sentence in found.unknown])
    if found.problems:
        numbered = [f"({number}) {problem}" for number, problem in enumerate(found.problems, 1)]
        raise UnavailableError(f"nothing was made, because it would fail: {'; '.join(numbered)}")


def _ask(new: NewStack) -> None:
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked whether to go on, for standard input is no terminal: use --yes")
    expires_at = f"{new.record.expires_at:%Y-%m-%d %H:%M} UTC"
    if not click.confirm(f"Make the stack {new.record.name}, which expires at {expires_at}?", err=True):
        raise UsageError("nothing was made: you did not agree")


def _say(quiet: bool, lines: Sequence[str]) -> None:
    if not quiet:
        for line in lines:
            click.echo(line, err=True)
