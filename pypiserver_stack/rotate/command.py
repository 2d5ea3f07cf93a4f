"""The command `python -m pypiserver_stack.rotate`."""

from __future__ import annotations

import contextlib
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import click
from pulumi.automation import CommandError, ConcurrentUpdateError, LocalWorkspace, Stack, StackNotFoundError

from pypiserver_stack.common.entry_point import UserError
from pypiserver_stack.rotate.command_error import first_error
from pypiserver_stack.rotate.steps import RotationError, rotate
from pypiserver_stack.settings import ConfigurationError

_INTERRUPTED = "interrupted; the same command goes on from here"


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
    Examples:
      python -m pypiserver_stack.rotate --stack prod --keep-old
      python -m pypiserver_stack.rotate --stack prod
    """,
)
@click.option("--stack", "name", required=True, metavar="NAME", help="Name of the stack, as `pulumi stack ls` shows it")
@click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    show_default="the current one",
    help="Folder of Pulumi.yaml",
)
@click.option("--keep-old", is_flag=True, help="Keep the old password valid after the new one is published")
def rotate_command(name: str, project: Path, keep_old: bool) -> None:
    """Rotate the generated passwords of a deployed stack, or continue a rotation that was interrupted."""
    with _interruptions() as interrupted:

        def report(line: str) -> None:
            if interrupted:
                raise UserError(_INTERRUPTED, 130)
            click.echo(line)

        try:
            click.echo(rotate(_open(name, project), report, keep_old=keep_old))
        except (RotationError, ConfigurationError) as refused:
            raise click.ClickException(str(refused)) from refused
        except StackNotFoundError as error:
            raise click.UsageError(f"there is no stack {name} in {project.absolute()}") from error
        except ConcurrentUpdateError as error:
            raise click.ClickException(
                f"another update of stack {name} is under way: wait until it has ended; "
                "if it was killed, `pulumi cancel`"
            ) from error
        except CommandError as error:
            if interrupted:
                raise UserError(_INTERRUPTED, 130) from error
            raise click.ClickException(
                f"pulumi failed: {first_error(error)}; the same command goes on from here"
            ) from error


def _open(name: str, project: Path) -> Stack:
    if shutil.which("pulumi") is None:
        raise click.UsageError("there is no `pulumi` on PATH: install it")
    if not any((project / f"Pulumi.{suffix}").is_file() for suffix in ("yaml", "yml")):
        raise click.UsageError(
            f"there is no Pulumi.yaml in {project.absolute()}: name the project's folder by --project"
        )
    # The program reaches Pulumi's engine, on this machine, by gRPC, which would ask a proxy.
    workspace = LocalWorkspace(work_dir=str(project), env_vars={"no_grpc_proxy": "127.0.0.1"})
    current = workspace.stack()
    try:
        return Stack.select(name, workspace)
    finally:
        # To select is to change what the user's next `pulumi up` is about.
        if current is not None:
            workspace.select_stack(current.name)


@contextlib.contextmanager
def _interruptions() -> Iterator[list[int]]:
    """The signals of Ctrl-C so far. Pulumi gets them as well, and is waited for: it ends what it has begun."""
    signals: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: signals.append(number))
    try:
        yield signals
    finally:
        signal.signal(signal.SIGINT, before)
