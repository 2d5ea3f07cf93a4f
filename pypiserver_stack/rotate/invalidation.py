"""Invalidation of CloudFront's edges, which would serve cached files to a dropped password."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping

from pypiserver_stack.settings.groups.cloudfront import PACKAGE_FILES


class InvalidationError(Exception):
    """The edges may still cache files; the message says why."""


def cannot_invalidate(distribution_id: str, environment: Mapping[str, str]) -> str | None:
    """Why not, in words, before anybody tries; None where nothing is known to be in the way.

    Whether an invalidation may be made only making one shows. That the account answers shows that its credentials are
    there and have not expired, that they are of the distribution's account, and that they have rights there.
    """
    if shutil.which("aws") is None:
        return "there is no AWS CLI (`aws`) on PATH, by which the edges of CloudFront are invalidated: install it"
    look = ["aws", "cloudfront", "list-invalidations", "--distribution-id", distribution_id, "--max-items", "1"]
    try:
        _run(look, environment)
    except InvalidationError as error:
        return f"the edges of CloudFront could not be invalidated once the old password is dropped: {error}"
    return None


def command(distribution_id: str) -> list[str]:
    """The command line that does the same by hand."""
    return ["aws", "cloudfront", "create-invalidation", "--distribution-id", distribution_id, "--paths", PACKAGE_FILES]


def invalidate(distribution_id: str, environment: Mapping[str, str]) -> None:
    """Have every edge forget all package files; returns when they have.

    Args:
        environment: variables beside the process's own, which name the account and who asks.

    Raises:
        InvalidationError: AWS refused, or it is not known whether it is done.
    """
    id_ = _run([*command(distribution_id), "--query", "Invalidation.Id", "--output", "text"], environment)
    wait = ["aws", "cloudfront", "wait", "invalidation-completed", "--distribution-id", distribution_id, "--id", id_]
    _run(wait, environment)


def _run(argv: list[str], environment: Mapping[str, str]) -> str:
    # No pager, and no shell: the path has a star in it.
    variables = {**os.environ, **environment, "AWS_PAGER": ""}
    try:
        done = subprocess.run(argv, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    except OSError as error:
        raise InvalidationError(f"`{shlex.join(argv)}` could not be run: {error}") from error
    except subprocess.CalledProcessError as error:
        said = " ".join(error.stderr.split()) or f"it exited with {error.returncode}"
        raise InvalidationError(f"`{shlex.join(argv)}` failed: {said}") from error
    return done.stdout.strip()
