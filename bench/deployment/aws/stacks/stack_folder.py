"""Stacks of this machine on AWS: what a later shell needs to find one again, in the user's state folder.

A stack has a folder with its record, the passphrase of its secrets and, unless a backend holds it, its Pulumi state.
It is made before the first resource and removed after the last, so that nothing on AWS is ever without one.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, Field, ValidationError

from bench.common.atomic_file import write_whole
from bench.common.failures import UsageError
from bench.common.model_part import ModelPart
from bench.common.user_folders import user_folder
from bench.deployment.aws.run_tags import RunTags
from bench.deployment.engine import StackConfig
from bench.deployment.engine.workspace import Workspace

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
NAME_TAKES = "1 to 40 lower-case letters, digits and hyphens, the first a letter"
STACK_VARIABLE = "PYPISERVER_BENCH_STACK"
"""Environment variable by which the processes that work on a stack are found: it holds the stack's folder."""


class StackRecord(ModelPart):
    """One stack on AWS: `stack.json` in its folder."""

    schema_version: Literal[1] = 1
    name: str
    run: str = Field(description="The tag `run` of its resources and its name in Pulumi, unique in an account.")
    phase: Literal["creating", "up", "removing"]
    project: str
    values: dict[str, str] = Field(description="The configuration, by namespaced key.")
    encrypted: dict[str, Any] = Field(description="Settings whose values are encrypted, as the stack file has them.")
    encryption_salt: str
    resource_count: int = Field(description="Resources that it is planned to have.")
    region: str
    account_id: str
    owner: str = Field(description="ARN of the identity that made it.")
    assumed_role_arn: str | None
    backend: str | None = Field(description="URL of the Pulumi state; null: files in the folder.")
    created_at: AwareDatetime
    expires_at: AwareDatetime
    certificate_arn: str | None = None
    certificate_pem: str | None = None
    url: str | None = None

    @property
    def tags(self) -> RunTags:
        """The tags of everything that is made for it."""
        return RunTags(self.run, self.owner, self.expires_at)

    @property
    def config(self) -> StackConfig:
        """Its configuration, under its name in Pulumi."""
        return StackConfig(self.project, self.run, self.values, self.encrypted, self.encryption_salt)


@dataclass(frozen=True)
class StackFolder:
    """The folder of one stack."""

    path: Path

    @classmethod
    def new(cls, name: str) -> StackFolder:
        """Make the folder of a stack of this name, with a passphrase that only this user can read.

        Raises:
            UsageError: there is such a stack already, or the folder cannot be made.
        """
        folder = cls(_stacks_folder() / name)
        try:
            folder.path.mkdir(mode=0o700, parents=True)
        except FileExistsError:
            raise UsageError(
                f"there is a stack {name} already: choose another name, or remove it with `python -m bench down {name}`"
            ) from None
        except OSError as error:
            raise UsageError(f"{folder.path} cannot be made ({error.strerror}): set XDG_STATE_HOME") from error
        folder._passphrase_file.touch(0o600, exist_ok=False)
        folder._passphrase_file.write_text(secrets.token_urlsafe(32), "ascii")
        return folder

    @classmethod
    def find(cls, name: str) -> StackFolder:
        """The folder of an existing stack.

        Raises:
            UsageError: there is none of this name.
        """
        folder = cls(_stacks_folder() / name)
        if not NAME.fullmatch(name) or not folder._record_file.is_file():
            known = ", ".join(sorted(other.path.name for other in cls.all())) or "none"
            raise UsageError(f"there is no stack {name!r} on AWS that this machine knows; the stacks are {known}")
        return folder

    @classmethod
    def all(cls) -> list[StackFolder]:
        """The folders of all stacks of this user, by name."""
        return [cls(path.parent) for path in sorted(_stacks_folder().glob("*/stack.json"))]

    def read(self) -> StackRecord:
        """
        Raises:
            UsageError: the record is damaged.
        """
        try:
            return StackRecord.model_validate_json(self._record_file.read_text("utf-8"))
        except (OSError, ValidationError, UnicodeDecodeError) as error:
            raise UsageError(
                f"{self._record_file} cannot be read ({type(error).__name__}): "
                f"`python -m bench sweep` finds what the stack {self.path.name} left on AWS"
            ) from error

    def write(self, record: StackRecord) -> StackRecord:
        """Replace the record, and return it."""
        write_whole(self._record_file, record.model_dump_json(indent=2) + "\n")
        return record

    def workspace(self, backend: str | None) -> Workspace:
        """The folders of the Pulumi CLI. All stacks share the provider plugins, which take hundreds of megabytes."""
        home = os.environ.get("HOME")
        return Workspace(
            self.path,
            plugins=self.path.parents[1] / "pulumi",
            # There the providers find the user's profiles, and what `aws sso login` left.
            home=Path(home) if home else self.path / "home",
            backend=backend,
            passphrase_file=self._passphrase_file,
        )

    @property
    def is_in_use(self) -> bool:
        """Whether a command works on the stack now."""
        try:
            with self.locked():
                return False
        except UsageError:
            return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Work on the stack alone. The lock goes with the process that holds it, however that ends.

        Raises:
            UsageError: another command works on it.
        """
        with (self.path / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UsageError(
                    f"another command works on the stack {self.path.name}: wait for it, or end it with Ctrl-C there"
                ) from None
            yield

    def remove(self) -> None:
        """Forget the stack, once nothing of it is left on AWS."""
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def _record_file(self) -> Path:
        return self.path / "stack.json"

    @property
    def _passphrase_file(self) -> Path:
        return self.path / "passphrase"


def _stacks_folder() -> Path:
    return user_folder("XDG_STATE_HOME", ".local/state") / "stacks"
