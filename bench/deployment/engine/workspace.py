"""Folders and environment of the Pulumi CLI, apart from the user's own Pulumi; the project and the stack file."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.common.failures import UsageError
from bench.deployment.engine import StackConfig


@dataclass(frozen=True)
class Workspace:
    """Where the CLI keeps its files."""

    folder: Path
    """Holds the project, the state unless `backend` says otherwise, and temporary files."""
    plugins: Path
    """The CLI's own folder, with the provider plugins, which several stacks may share."""
    home: Path
    """Home of the CLI and of the providers, who look there for the user's credentials."""
    backend: str | None = None
    """URL of the state; None: files in `folder`."""
    passphrase_file: Path | None = None
    """The passphrase that secrets are encrypted with; None: a random one, which is lost with this process."""

    @classmethod
    def within(cls, folder: Path) -> Workspace:
        """One that has everything below `folder`."""
        return cls(folder, plugins=folder / "pulumi", home=folder / "home")

    @property
    def project(self) -> Path:
        """Folder of the project and the stack file."""
        return self.folder / "project"

    def environment(self) -> dict[str, str]:
        """The variables that keep the CLI in these folders, which it makes."""
        state, temporary = self.folder / "state", self.folder / "tmp"
        for folder in (state, temporary, self.plugins, self.home):
            folder.mkdir(parents=True, exist_ok=True)
        return {
            "HOME": str(self.home),
            "TMPDIR": str(temporary),
            "PULUMI_HOME": str(self.plugins),
            # A container may run as a user without a name, which the CLI wants to know.
            "USER": "bench",
            "PULUMI_BACKEND_URL": self.backend or file_backend(state),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def passphrase(self, config: StackConfig) -> dict[str, str]:
        """The variable that holds what secrets are encrypted with, or names its file.

        It is the user's own where the stack file needs it.

        Raises:
            UsageError: the stack file holds secrets, and they cannot be decrypted with a passphrase of the user's.
        """
        if config.encrypted:
            return _passphrase_of_the_user(config)
        if self.passphrase_file is None:
            return {"PULUMI_CONFIG_PASSPHRASE": secrets.token_urlsafe()}
        return {"PULUMI_CONFIG_PASSPHRASE_FILE": str(self.passphrase_file)}


def file_backend(folder: Path) -> str:
    """URL of a backend of files in a folder.

    Without the files of attributes that it keeps beside each file: those are not replaced but written over, and a CLI
    killed at that moment leaves a state that none can read again.
    """
    return f"{folder.absolute().as_uri()}?metadata=skip"


def _passphrase_of_the_user(config: StackConfig) -> dict[str, str]:
    if not config.encryption_salt:
        raise UsageError(
            f"{undecipherable(config)}: they were encrypted by a service, which the benchmark does not ask; "
            "override them with -c"
        )
    names = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
    of_the_user = {name: os.environ[name] for name in names if name in os.environ}
    if not of_the_user:
        raise UsageError(f"{undecipherable(config)}: set PULUMI_CONFIG_PASSPHRASE")
    return of_the_user


def undecipherable(config: StackConfig) -> str:
    """The beginning of a sentence that says why."""
    return f"{', '.join(sorted(config.encrypted))} of stack {config.stack} cannot be decrypted"


def write_project(folder: Path, config: StackConfig) -> None:
    """Write Pulumi.yaml and the stack file, as the configuration says and no more.

    A stack file that is there keeps what the CLI wrote into it: the salt that its state is encrypted with.
    """
    folder.mkdir(exist_ok=True)
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": config.project, "runtime": "python"}), "utf-8")
    path = folder / f"Pulumi.{config.stack}.yaml"
    settings = yaml.safe_load(path.read_text("utf-8")) if path.exists() else {}
    if config.encrypted:
        settings["encryptionsalt"] = config.encryption_salt
    settings["config"] = {**config.values, **config.encrypted}
    path.write_text(yaml.safe_dump(settings), "utf-8")
