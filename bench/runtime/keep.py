"""A stack that is kept up: how any client is pointed at it."""

from __future__ import annotations

import shlex
from pathlib import Path
from urllib.parse import urlsplit

from bench.index.target import Target


def credentials_file(folder: Path, target: Target) -> Path:
    """The credentials in a netrc file for its owner alone, in the run's own folder, which goes with the run."""
    path = folder / "netrc"
    path.touch(0o600, exist_ok=False)
    path.write_text(f"machine {target.host} login {target.username} password {target.password}\n", "utf-8")
    return path


def invitation(url: str, credentials: Path) -> list[str]:
    """Commands that use the index, for a shell with or without a proxy."""
    quoted = shlex.quote(str(credentials))
    no_proxy = f"no_proxy={urlsplit(url).hostname}"
    return [
        f"index: {url}/simple/ stays up until Ctrl-C",
        f"credentials: {quoted}",
        f"NETRC={quoted} {no_proxy} pip install --index-url {url}/simple/ test-package-000",
        f"TWINE_USERNAME=$(awk '{{print $4}}' {quoted}) TWINE_PASSWORD=$(awk '{{print $6}}' {quoted}) {no_proxy} "
        f"twine upload --repository-url {url}/ FILE",
    ]
