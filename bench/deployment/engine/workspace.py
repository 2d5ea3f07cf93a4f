"""Folder of the Pulumi CLI's own: its environment, the project and the stack file."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import yaml

from bench.common.failures import UsageError
from bench.deployment.engine import StackConfig


def environment(work_dir: Path) -> dict[str, str]:
    """Variables that keep home, login, state and temporary files of the CLI below `work_dir`; makes the folders."""
    folders = {name: work_dir / name for name in ("home", "pulumi", "state", "tmp")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(folders["home"]),
        "TMPDIR": str(folders["tmp"]),
        "PULUMI_HOME": str(folders["pulumi"]),
        # A container may run as a user without a name, which the CLI wants to know.
        "USER": "bench",
        # Without the files of attributes that it keeps beside each file: those are not replaced but written over, and a
        # CLI killed at that moment leaves a state that none can read again.
        "PULUMI_BACKEND_URL": f"{folders['state'].absolute().as_uri()}?metadata=skip",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


def passphrase(config: StackConfig) -> dict[str, str]:
    """The variable that holds what secrets are encrypted with: a random one, unless the stack file needs the user's.

    Raises:
        UsageError: the stack file holds secrets, and they cannot be decrypted with a passphrase of the user's.
    """
    if not config.encrypted:
        return {"PULUMI_CONFIG_PASSPHRASE": secrets.token_urlsafe()}
    if not config.encryption_salt:
        raise UsageError(
            f"{undecipherable(config)}: they were encrypted by a service, which a local run does not ask; "
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
