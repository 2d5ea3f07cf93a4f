"""Folders of this user for what outlives a run, as the XDG base directory specification places them."""

from __future__ import annotations

import os
from pathlib import Path

from bench.common.failures import UsageError
from bench.common.own_folder import refuse_if_not_own

_NAME = "pypiserver-bench"


def user_folder(variable: str, in_home: str) -> Path:
    """`pypiserver-bench` in the folder that an XDG variable names, or else at its usual place in the home folder.

    Args:
        variable: such as XDG_CACHE_HOME. A relative path in it is ignored, as the specification has it.
        in_home: the usual place, such as `.cache`.

    Raises:
        UsageError: the variable is not set, and there is no home folder that can be written; or the folder is not this
            user's alone, so that what is in it cannot be trusted.
    """
    folder = _writable(variable, in_home)
    refuse_if_not_own(folder, variable)
    return folder


def _writable(variable: str, in_home: str) -> Path:
    configured = Path(os.environ.get(variable, ""))
    if configured.is_absolute():
        return configured / _NAME
    try:
        folder = Path.home().resolve(strict=True) / in_home / _NAME
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except RuntimeError:
        raise UsageError(f"there is no HOME, and no home folder of this user: set {variable}") from None
    except OSError as error:
        raise UsageError(f"{error.filename} cannot be used ({error.strerror}): set {variable}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"{folder} cannot be written: set {variable}")
    return folder
