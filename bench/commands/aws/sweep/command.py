"""The command `python -m bench sweep`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from bench.commands.options import examples
from bench.common.failures import ExitCode, UnavailableError
from pypiserver_stack.common.entry_point import show

if TYPE_CHECKING:
    from bench.deployment.aws.sweep.resource import RunResource


@click.command(
    short_help="Remove what runs on AWS have left behind",
    epilog=examples("sweep", "sweep --yes", "sweep --yes --run stress-4f2a91", "sweep --region eu-central-1"),
)
@click.option(
    "--yes/--dry-run", "acts", default=False, show_default="--dry-run", help="Remove the leftovers, or only list them"
)
@click.option("--run", metavar="NAME", help="Only this run, whether it has expired or not")
@click.option("--region", metavar="REGION", help="AWS region", show_default="the one of the environment")
def sweep(acts: bool, run: str | None, region: str | None) -> None:
    """Remove what runs on AWS have left behind after their expiry, by their tags, from any machine.

    Nothing without the tags of a run is touched, and nothing of a run that has not expired, unless --run names it.
    """
    # Imported here: the other commands need no boto3.
    from bench.deployment.aws.run_tags import RunTags
    from bench.deployment.aws.session import AwsSession
    from bench.deployment.aws.sweep.clients import ServiceClients
    from bench.deployment.aws.sweep.refusals import CredentialsExpiredError
    from bench.deployment.aws.sweep.removal import Remaining, WallClock
    from bench.deployment.aws.sweep.run import sweep_away
    from bench.deployment.aws.sweep.survey import survey

    session = AwsSession.open(region)
    clock = WallClock()
    resume = f"python -m bench sweep --yes{f' --run {run}' if run else ''} --region {session.region}"

    def is_wanted(tags: RunTags) -> bool:
        return tags.run == run if run else tags.expires_at <= clock.now()

    remaining: tuple[Remaining, ...] = ()
    try:
        aws = ServiceClients(session)
        found = survey(aws, is_wanted)
        _list(found.resources)
        if acts:
            remaining = sweep_away(aws, found, is_wanted, clock, _note)
    except CredentialsExpiredError as error:
        raise UnavailableError(f"the credentials have expired: {error}: renew them, then run `{resume}`") from error
    for sentence in (*map(str, remaining), *found.unseen_in_words):
        _note(sentence)
    if not acts and found.resources:
        _note(f"nothing was removed: run `{resume}`")
    if remaining or (found.resources and not acts):
        sys.exit(ExitCode.LEFTOVERS)
    if found.unseen:
        sys.exit(ExitCode.UNAVAILABLE)


def _list(resources: Sequence[RunResource]) -> None:
    from datetime import UTC, datetime

    from bench.commands.aws.sweep.blocks import leftover_blocks
    from bench.report.formats.markdown import markdown_text

    show(markdown_text(leftover_blocks(resources, datetime.now(UTC))) if resources else "nothing is left over\n")


def _note(text: str) -> None:
    click.echo(text, err=True)
