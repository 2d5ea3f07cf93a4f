"""The command `python -m bench rotate`."""

from __future__ import annotations

import copy

import click

from bench.commands.options import examples


@click.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True},
    short_help="Rotate the generated passwords of a deployed stack",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def rotate(arguments: tuple[str, ...]) -> None:
    """Rotate the generated passwords of a deployed stack: `python -m pypiserver_stack.rotate` under another name."""
    from pypiserver_stack.rotate.command import rotate_command

    command = copy.copy(rotate_command)
    command.epilog = examples("rotate --stack prod --keep-old", "rotate --stack prod")
    command(arguments, prog_name="python -m bench rotate", standalone_mode=False)
