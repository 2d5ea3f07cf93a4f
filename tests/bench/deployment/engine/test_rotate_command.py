"""The command, from a shell, as somebody types it: with a `pulumi` and a language host of its own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.bench.deployment.engine import person
from tests.bench.deployment.engine.rotated import USERS, RotatedCloud, write_project
from tests.dead_proxy import DEAD_PROXY

ROOT = Path(__file__).resolve().parents[4]

pytestmark = pytest.mark.engine

# Notes what it is called with, and goes on as the real one.
RECORDER = """#!/bin/sh
echo "$@" >> "$CALLS"
exec "$PULUMI" "$@"
"""


class Shell:
    """A project with a deployed stack `dev`, another one that is selected, and somebody at a shell in its folder."""

    def __init__(self, folder: Path, pulumi_cli: Path, providers: Mapping[str, str]) -> None:
        self.project, self.calls, self.state = folder / "project", folder / "calls", folder / "state"
        write_project(self.project)
        self.state.mkdir()
        (folder / "bin").mkdir()
        (folder / "bin" / "pulumi").write_text(RECORDER)
        (folder / "bin" / "pulumi").chmod(0o755)
        path = f"{folder / 'bin'}:{Path(sys.executable).parent}:{pulumi_cli}:{os.environ['PATH']}"
        self.environment = {
            **person.environment(folder, path, state=self.state),
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(folder),
            "CALLS": str(self.calls),
            "PULUMI": str(pulumi_cli / "pulumi"),
            **providers,
        }

    def run(self, *command: str, exit_code: int = 0) -> str:
        return person.run(command, self.project, self.environment, exit_code)

    def rotate(self, *arguments: str, exit_code: int = 0) -> str:
        command = (sys.executable, "-m", "pypiserver_stack.rotate", *arguments)
        return person.run(command, self.project, {**self.environment, **DEAD_PROXY}, exit_code)


@pytest.fixture
def cloud() -> RotatedCloud:
    return RotatedCloud()


@pytest.fixture
def shell(tmp_path: Path, pulumi_cli: Path, cloud: RotatedCloud) -> Iterator[Shell]:
    with cloud.providers() as providers:
        yield Shell(tmp_path, pulumi_cli, providers.environment)


def test_a_rotation(shell: Shell, cloud: RotatedCloud) -> None:
    shell.run("pulumi", "stack", "init", "dev")
    shell.run("pulumi", "stack", "init", "selected")
    not_deployed = shell.rotate("--stack", "dev", exit_code=1)
    assert not_deployed == "Error: stack dev is not deployed, or only in part: run `pulumi up` first\n"
    shell.run("pulumi", "up", "--stack=dev", "--yes", "--skip-preview")
    old = cloud.passwords

    said = shell.rotate("--stack", "dev")
    assert said.splitlines() == [
        "Looking at what stack dev consists of.",
        "Deploying: passwords 1 and 2 accepted, 1 published.",
        "Deploying: passwords 1 and 2 accepted, 2 published.",
        "Deploying: password 2 accepted, 2 published.",
        "Done: password 2 is published, and no other accepted. Commit Pulumi.dev.yaml.",
    ]
    new = cloud.passwords
    assert list(new) == ["index-2", "index-read-2", "index-upload-2"]
    assert set(new.values()).isdisjoint(old.values())
    for (user, output), password in zip(USERS.items(), new.values(), strict=True):
        assert cloud.secrets_of_the_tasks()[user]["accepted_passwords"] == [password]
        # What a client that reads the stack's output gets.
        assert shell.run("pulumi", "stack", "output", output, "--stack=dev", "--show-secrets").strip() == password
    # No password was an argument of a command, or stands in what they left behind.
    assert "config set-all" in shell.calls.read_text()
    secrets = [*old.values(), *new.values()]
    for path in shell.project.parent.rglob("*"):
        assert not path.is_file() or not any(secret.encode() in path.read_bytes() for secret in secrets), path
    # The user's next `pulumi up` is about the stack that it would have been about before.
    stacks = json.loads(shell.run("pulumi", "stack", "ls", "--json"))
    assert [stack["name"] for stack in stacks if stack["current"]] == ["selected"]

    locks = shell.state / ".pulumi" / "locks" / "organization" / "small" / "dev"
    locks.mkdir(parents=True, exist_ok=True)
    (locks / "somebody.json").write_text("{}")
    config = (shell.project / "Pulumi.dev.yaml").read_text()
    under_way = shell.rotate("--stack", "dev", exit_code=1).splitlines()[-1]
    assert under_way == (
        "Error: another update of stack dev is under way: wait until it has ended; if it was killed, `pulumi cancel`"
    )
    assert (shell.project / "Pulumi.dev.yaml").read_text() == config


def test_what_it_cannot_do_it_says_in_one_sentence(shell: Shell, tmp_path: Path) -> None:
    assert shell.rotate("--stack", "prod", exit_code=2) == f"Error: there is no stack prod in {shell.project}\n"
    no_project = shell.rotate("--stack", "dev", "--project", str(tmp_path), exit_code=2)
    assert no_project == f"Error: there is no Pulumi.yaml in {tmp_path}: name the project's folder by --project\n"
    shell.run("pulumi", "stack", "init", "dev")
    shell.run("pulumi", "config", "set", "password_generations", "1,1", "--stack=dev")
    wrong = shell.rotate("--stack", "dev", exit_code=1)
    assert wrong == "Error: password_generations = '1,1': one or two different whole numbers from 1 to 9999\n"
    shell.environment["PATH"] = str(tmp_path)
    assert shell.rotate("--stack", "dev", exit_code=2) == "Error: there is no `pulumi` on PATH: install it\n"
