"""Start and end of every program of the project: supported Pythons, streams, signals and errors.

A module that a person starts calls `start_program`, and imports what is installed only within what it passes: then a
missing package is a sentence too. Nothing here is newer than the oldest Python that anybody may try it with.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from pypiserver_stack.common.text import printable

if TYPE_CHECKING:
    import click

_OURS = ("bench", "pypiserver_stack", "sizing", "tools")
_OLDEST_PYTHON = (3, 11)
_REFUSED = 2
_INTERRUPTED = 130


class UserError(Exception):
    """An error that a person can act on. The message is one sentence, printed without a traceback."""

    def __init__(self, sentence: str, exit_code: int = _REFUSED) -> None:
        super().__init__(sentence)
        self._exit_code = exit_code

    @property
    def exit_code(self) -> int:
        return self._exit_code


class Arguments(argparse.ArgumentParser):
    """The arguments of a program that needs no click; what it refuses is a `UserError`."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; {self.prog} --help lists what there is")


def start_program(main: Callable[[], object]) -> NoReturn:
    """Run a program, and exit with 0 or with the code of the error that ended it, which is printed as a sentence.

    An interruption ends it with 130. A program that has something to take down sets handlers of its own.
    """
    _open_closed_streams()
    try:
        _run(main)
    finally:
        _leave_unwritable_streams()


def _run(main: Callable[[], object]) -> NoReturn:
    if sys.platform == "win32":
        _fail("Windows is not supported: use Linux, or WSL", _REFUSED)
    if sys.version_info < _OLDEST_PYTHON:  # a system's own may be
        here, oldest = (".".join(map(str, version)) for version in (sys.version_info[:2], _OLDEST_PYTHON))
        _fail(f"Python {here} is not supported: use Python {oldest} or later", _REFUSED)
    for stream in (sys.stdout, sys.stderr):
        # A letter that the terminal does not know is shown as its number; it is no reason to lose the result.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end_at_once)
    try:
        main()
        sys.stdout.flush()
    except UserError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        _leave_stdout()  # whoever read it has seen enough
    except ImportError as error:
        if not error.name or error.name.split(".")[0] in _OURS:
            _fail_internally(error)
        _fail(
            f"{error.name.split('.')[0]} is not installed here, or not as needed: run `make install`, "
            "then the same command with `.venv/bin/python`",
            _REFUSED,
        )
    except OSError as error:
        if error.strerror is None:
            _fail_internally(error)
        _fail(f"{error.strerror}: {error.filename}" if error.filename else error.strerror, 1)
    except Exception as error:
        _fail_internally(error)
    sys.exit(0)


def run(command: click.Command) -> None:
    """Run a click command in the way of `start_program`.

    Raises:
        UserError: it refuses the command line.
        KeyboardInterrupt: it was interrupted.
    """
    import click

    try:
        command(standalone_mode=False)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        raise UserError(error.format_message(), error.exit_code) from error


def show(text: str) -> None:
    """Print the result of a program. A reader that has seen enough of it is no error.

    Raises:
        UserError: stdout takes no more.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _leave_stdout()
    except OSError as error:
        _leave_stdout()
        raise UserError(f"stdout cannot be written ({error.strerror}): write elsewhere", 1) from error


def _fail(sentence: str, exit_code: int) -> NoReturn:
    with contextlib.suppress(OSError):  # where nobody can read it, the exit code has to do
        print(f"Error: {printable(sentence)}", file=sys.stderr)
    sys.exit(exit_code)


def _fail_internally(error: Exception) -> NoReturn:
    traceback.print_exception(error)
    _fail(f"internal error, please report it together with the traceback above: {type(error).__name__}: {error}", 1)


def _end_at_once(number: int, frame: object) -> NoReturn:
    """There is nothing to take down, and importing takes a while."""
    os.write(2, b"Error: interrupted\n")
    os._exit(_INTERRUPTED)


def _open_closed_streams() -> None:
    """Have the first file or socket that is opened not take the place of a standard stream that was closed."""
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
            setattr(sys, name, open(descriptor, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # for good


def _leave_stdout() -> None:
    _leave(1)


def _leave_unwritable_streams() -> None:
    """Have Python's own flush at the end, which would exit with 120, find streams that can be written."""
    for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            stream.flush()
        except OSError:
            _leave(descriptor)


def _leave(descriptor: int) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
