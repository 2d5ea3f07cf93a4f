"""A person at a shell with a `pulumi` command, logged in to a folder, with stand-ins for the providers."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def environment(home: Path, path: str, *, state: Path) -> dict[str, str]:
    """What such a shell has, but for PULUMI_DEBUG_PROVIDERS.

    Args:
        path: PATH.
        state: the folder that Pulumi keeps its state in.
    """
    return {
        "PATH": path,
        "HOME": str(home),
        "PULUMI_HOME": str(home / "pulumi"),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def run(command: Sequence[str], folder: Path, environment: Mapping[str, str], exit_code: int = 0) -> str:
    """What a command prints, on both streams; it has to end with `exit_code`."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == exit_code, done.stdout
    return done.stdout


def pulumi(*arguments: str, folder: Path, environment: Mapping[str, str], exit_code: int = 0) -> str:
    """As `run`, for `pulumi`, which must not ask."""
    return run(["pulumi", *arguments, "--non-interactive", "--color=never"], folder, environment, exit_code)
