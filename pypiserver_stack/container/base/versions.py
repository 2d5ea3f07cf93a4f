"""Versions: their order and their spelling (PEP 440)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from packaging.version import Version
from pypiserver.pkg_helpers import parse_version

MAX_CHARACTERS = 255
"""No file name has more. Of longer text, which core metadata may have, nothing is parsed or remembered."""


def version_key(version: str) -> tuple[Any, ...]:
    """What versions are sorted and compared by: 1.0, 1.0.0 and v1.0 have the same key.

    What is no version of PEP 440 is older than all that are, in pypiserver's order.
    """
    return _key(version) if len(version) <= MAX_CHARACTERS else (False, (), version)


@lru_cache(maxsize=4096)
def _key(version: str) -> tuple[Any, ...]:
    try:
        return True, Version(version)
    except ValueError:  # not only InvalidVersion: Python refuses to read numbers of thousands of digits
        spelled = version.lower().replace("_", "-")  # what stands for a hyphen in a wheel's name
        return False, parse_version(spelled), spelled


def canonical_version(version: str) -> str:
    """The version as PEP 440 spells it; as it is where it is none."""
    is_valid, key, *_ = version_key(version)
    return str(key) if is_valid else version


def newest(versions: Iterable[str]) -> str:
    """The newest final version; the newest of all where none is final."""
    return max(versions, key=lambda version: (_is_final(version), version_key(version)))


def _is_final(version: str) -> bool:
    try:
        return not Version(version).is_prerelease
    except ValueError:
        return False


def is_version(text: str) -> bool:
    """Whether PEP 440 takes it for a version."""
    return version_key(text)[0] is True
