"""A stack that is kept up: how any client is pointed at it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from bench.index.target import Target


def credentials_files(folder: Path, target: Target) -> dict[str, Path]:
    """The credentials of each role that the index has, the one with all rights first, in netrc files by role.

    They are for their owner alone, in the run's own folder, and go with the run.
    """
    targets = {"admin": target, "read": target.reader, "upload": target.uploader}
    return {role: _netrc(folder, role, found) for role, found in targets.items() if found is not None}


def _netrc(folder: Path, role: str, target: Target) -> Path:
    path = folder / ("netrc" if role == "admin" else f"netrc-{role}")
    path.touch(0o600, exist_ok=False)
    path.write_text(f"machine {target.host} login {target.username} password {target.password}\n", "utf-8")
    return path


def invitation(url: str, credentials: Mapping[str, Path]) -> list[str]:
    """Commands that use the index, each with the fewest rights, for a shell with or without a proxy."""
    quoted = {role: shlex.quote(str(path)) for role, path in credentials.items()}
    reader, uploader = (quoted.get(role, quoted["admin"]) for role in ("read", "upload"))
    no_proxy = f"no_proxy={urlsplit(url).hostname}"
    others = [f"credentials of the role {role}: {path}" for role, path in quoted.items() if role != "admin"]
    return [
        f"index: {url}/simple/ stays up until Ctrl-C",
        f"credentials: {quoted['admin']}",
        *others,
        f"NETRC={reader} {no_proxy} pip install --index-url {url}/simple/ test-package-000",
        f"TWINE_USERNAME=$(awk '{{print $4}}' {uploader}) TWINE_PASSWORD=$(awk '{{print $6}}' {uploader}) {no_proxy} "
        f"twine upload --repository-url {url}/ FILE",
    ]
