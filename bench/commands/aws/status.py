"""The command `python -m bench status`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from bench.commands.options import examples
from pypiserver_stack.common.entry_point import show


@click.command(short_help="List the stacks of this machine on AWS", epilog=examples("status"))
def status() -> None:
    """List the stacks on AWS that this machine knows, without asking AWS."""
    from bench.common.failures import UsageError
    from bench.deployment.aws.stacks.stack_folder import StackFolder
    from bench.report.blocks import Table
    from bench.report.formats.markdown import markdown_text

    rows, problems = [], []
    for folder in StackFolder.all():
        try:
            record = folder.read()
        except UsageError as error:
            problems.append(str(error))
            continue
        phase = record.phase if folder.is_in_use or record.phase == "up" else f"{record.phase}, interrupted"
        expired = " (expired)" if record.expires_at < datetime.now(UTC) else ""
        expires = f"{record.expires_at:%Y-%m-%d %H:%M} UTC{expired}"
        rows.append((record.name, phase, record.account_id, record.region, expires, record.url or ""))
    for problem in problems:
        click.echo(f"Warning: {problem}", err=True)
    if rows:
        columns = ("stack", "phase", "account", "region", "expires", "index")
        show(markdown_text([Table(columns=columns, rows=rows, left=tuple(range(len(columns))))]))
    else:
        show("no stack of this machine is on AWS\n")
