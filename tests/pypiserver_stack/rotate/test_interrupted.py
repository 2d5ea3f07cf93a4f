"""Ctrl-C during a rotation: the step under way ends, the next one does not begin, and the exit code is 130."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest
from pulumi.automation import CommandError, CommandResult

from pypiserver_stack.common.entry_point import UserError
from pypiserver_stack.rotate import command as rotate_command

Say = Callable[[str], None]


def between_steps(say: Say) -> None:
    say("Deploying.")


def in_a_step(say: Say) -> None:
    raise CommandError(CommandResult(stdout="", stderr="error: update canceled", code=255))


@pytest.mark.parametrize("interrupted", [between_steps, in_a_step])
def test_an_interrupted_rotation_says_so(interrupted: Callable[[Say], None], monkeypatch: pytest.MonkeyPatch) -> None:
    def rotate(stack: object, say: Say, *, keep_old: bool) -> str:
        signal.raise_signal(signal.SIGINT)
        interrupted(say)
        return "Done."

    monkeypatch.setattr(rotate_command, "_open", lambda name, project: None)
    monkeypatch.setattr(rotate_command, "rotate", rotate)
    with pytest.raises(UserError, match=r"^interrupted; the same command goes on from here$") as ended:
        rotate_command.rotate_command(["--stack", "prod"], standalone_mode=False)
    assert ended.value.exit_code == 130
