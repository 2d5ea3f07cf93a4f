"""Rotation through the real engine: what tasks accept after each step, and that it goes on from wherever it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import ConfigValue, Stack

from bench.common.failures import UnavailableError
from bench.deployment.engine import StackConfig
from bench.deployment.stack_config import load_stack
from pypiserver_stack.rotate.steps import RotationError, rotate
from tests.bench.deployment.engine.rotated import (
    PASSWORD,
    SERVICE,
    TASK,
    USERS,
    VERSION,
    RotatedCloud,
    write_project,
)
from tests.bench.deployment.engine.whole_stack import fast_engine
from tests.thorough import thorough

ROOT = Path(__file__).resolve().parents[4]

# What a rotation changes.
CHANGING = {PASSWORD, SERVICE, TASK, VERSION}

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("pulumi_on_path")]


class StopError(Exception):
    """Somebody pulls the plug."""


class Deployed:
    """A stack that is up, and the rotations that it has been through."""

    def __init__(self, project: Path, config: StackConfig, work: Path) -> None:
        self.cloud = RotatedCloud()
        self.engine = fast_engine(self.cloud, work, project)
        outputs = self.engine.up(config).outputs
        self.first = {user: str(outputs[output]) for user, output in USERS.items()}
        self.lines: list[str] = []
        self.secrets: list[dict[str, Any]] = []
        """What the tasks were given of each user, before each line."""

    def rotate(self, *, keep_old: bool = False, stop_at: int | None = None) -> str:
        """Rotate; `stop_at`: the number, from 0, of the line at which somebody pulls the plug."""
        reported = 0

        def say(line: str) -> None:
            nonlocal reported
            if reported == stop_at:
                raise StopError
            reported += 1
            self.lines.append(line)
            self.secrets.append(self.cloud.secrets_of_the_tasks())

        return self.engine.drive(lambda stack: rotate(stack, say, keep_old=keep_old))

    def config(self) -> dict[str, str]:
        """The stack's configuration as far as it is about passwords."""
        values = self.engine.drive(lambda stack: stack.get_all_config())
        return {key.partition(":")[2]: value.value for key, value in values.items() if "password" in key}

    def outputs(self) -> dict[str, Any]:
        return {key: output.value for key, output in self.engine.drive(lambda stack: stack.outputs()).items()}

    def published(self) -> dict[str, str]:
        """The password of each user that the stack exports."""
        outputs = self.outputs()
        return {user: outputs[output] for user, output in USERS.items()}


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Deployed]:
    write_project(tmp_path / "project")
    stack = Deployed(tmp_path / "project", load_stack(tmp_path / "project", "dev")[0], tmp_path / "work")
    yield stack
    assert stack.engine.down() == ()


def secrets(published: dict[str, str], *accepted: dict[str, str]) -> dict[str, Any]:
    """What tasks are given, from the password of each user."""
    return {
        user: {
            "username": user,
            "password": published[user],
            "accepted_passwords": [passwords[user] for passwords in accepted],
        }
        for user in USERS
    }


def assert_rotated_once(stack: Deployed) -> None:
    assert list(stack.cloud.passwords) == ["index-2", "index-read-2", "index-upload-2"]
    new = dict(zip(USERS, stack.cloud.passwords.values(), strict=True))
    assert len({*new.values(), *stack.first.values()}) == 6
    assert stack.cloud.secrets_of_the_tasks() == secrets(new, new)
    assert stack.config() == {"password_generations": "2", "published_password_generation": "2"}
    outputs = stack.outputs()
    assert (outputs["password_generations"], outputs["published_password_generation"]) == ([2], 2)
    assert stack.published() == new
    # At no time was there a task that refuses what clients had, or clients were given what a task refuses.
    for before, after in zip(stack.secrets, [*stack.secrets[1:], stack.cloud.secrets_of_the_tasks()], strict=True):
        for user in USERS:
            assert before[user]["password"] in after[user]["accepted_passwords"]
            assert after[user]["password"] in before[user]["accepted_passwords"]


def test_three_steps(deployed: Deployed) -> None:
    done = deployed.rotate()
    assert [*deployed.lines, done] == [
        "Looking at what stack dev consists of.",
        "Deploying: passwords 1 and 2 accepted, 1 published.",
        "Deploying: passwords 1 and 2 accepted, 2 published.",
        "Deploying: password 2 accepted, 2 published.",
        "Done: password 2 is published, and no other accepted. Commit Pulumi.dev.yaml.",
    ]
    old, new = deployed.first, deployed.published()
    assert deployed.secrets == [secrets(old, old), secrets(old, old), secrets(old, old, new), secrets(new, old, new)]
    assert_rotated_once(deployed)


def test_the_old_one_is_kept_until_clients_have_the_new_one(deployed: Deployed) -> None:
    sentence = (
        "Stopped: passwords 1 and 2 accepted, 2 published. Rotate again without --keep-old to drop the old one. "
        "Commit Pulumi.dev.yaml."
    )
    assert deployed.rotate(keep_old=True) == sentence
    new = deployed.published()
    kept = secrets(new, deployed.first, new)
    assert deployed.cloud.secrets_of_the_tasks() == kept
    # Again: there is nothing to do, and no third password.
    assert deployed.rotate(keep_old=True) == sentence
    assert deployed.cloud.secrets_of_the_tasks() == kept
    deployed.rotate()
    assert_rotated_once(deployed)


@pytest.mark.parametrize("changes", [1, *thorough(0, 2)])
def test_a_step_that_fails_is_taken_again(deployed: Deployed, changes: int) -> None:
    deployed.cloud.changes_until_refusal = changes
    with pytest.raises(UnavailableError, match="no more task definitions today"):
        deployed.rotate()
    deployed.rotate()
    assert_rotated_once(deployed)


@pytest.mark.parametrize("line", [2, *thorough(1, 3)])
def test_it_goes_on_where_the_plug_was_pulled(deployed: Deployed, line: int) -> None:
    with pytest.raises(StopError):
        deployed.rotate(stop_at=line)
    deployed.rotate()
    assert_rotated_once(deployed)


def test_nothing_is_published_to_tasks_that_ecs_has_rolled_back(deployed: Deployed) -> None:
    with pytest.raises(StopError):
        deployed.rotate(stop_at=1)
    deployed.engine.drive(lambda stack: stack.up(color="never"))
    (service,) = deployed.cloud.of_type(SERVICE)
    right = service.inputs["taskDefinition"]
    deployed.cloud.update(service.urn, {**service.inputs, "taskDefinition": "the one before"})
    running = []

    def say(line: str) -> None:
        if "2 published" in line:
            (service,) = deployed.cloud.of_type(SERVICE)
            running.append(service.inputs["taskDefinition"])

    deployed.engine.drive(lambda stack: rotate(stack, say))
    assert running[0] == right


def configure(stack: Stack, **values: str) -> None:
    stack.set_all_config({key: ConfigValue(value) for key, value in values.items()})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"authentication": "htpasswd"}, "authentication is htpasswd: .* change them there"),
        ({"wait_for_steady_state": "false"}, "wait_for_steady_state is false, so nobody knows .*"),
        ({"authentication": "bcrypt"}, "authentication is bcrypt, which accepts one password at a time: .*"),
        (
            {"password_generations": "7"},
            "stack dev is configured with password 7 accepted, 7 published, and deployed with password 1 accepted, 1 "
            "published, which is no step of a rotation: .*",
        ),
        (
            {"secret_recovery_window_days": "30"},
            "stack dev has changes that are not deployed: run `pulumi up` first, .*",
        ),
    ],
)
def test_what_is_refused_changes_nothing(deployed: Deployed, values: dict[str, str], sentence: str) -> None:
    deployed.engine.drive(lambda stack: configure(stack, **values))
    config, records = deployed.config(), deployed.cloud.records
    with pytest.raises(RotationError) as refused:
        deployed.rotate()
    assert refused.match(f"^{sentence}$")
    assert deployed.config() == config
    assert deployed.cloud.records == records


def test_the_whole_program(tmp_path: Path) -> None:
    work = tmp_path / "work"
    stack = Deployed(ROOT, load_stack(ROOT, "stress")[0], work)
    others = {record.urn: record for record in stack.cloud.records.values() if record.type not in CHANGING}
    passwords = set(stack.first.values())

    def look(line: str) -> None:
        stack.secrets.append(stack.cloud.secrets_of_the_tasks())
        passwords.update(stack.cloud.passwords.values())

    stack.engine.drive(lambda pulumi_stack: rotate(pulumi_stack, look))
    old, new = stack.first, stack.published()
    assert stack.secrets == [secrets(old, old), secrets(old, old), secrets(old, old, new), secrets(new, old, new)]
    assert stack.cloud.secrets_of_the_tasks() == secrets(new, new)
    # The passwords, the secret's value and what names its version change, and nothing else.
    assert others == {record.urn: record for record in stack.cloud.records.values() if record.type not in CHANGING}
    # State, its history and its backups, stack file, logs.
    written = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    assert any(b"ciphertext" in content for content in written.values())
    assert passwords == {*old.values(), *new.values()}
    assert len(passwords) == 6
    assert [path for path, content in written.items() if any(p.encode() in content for p in passwords)] == []
    assert stack.engine.down() == ()
