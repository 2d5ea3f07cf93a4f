"""Prefix of the names of resources."""

from __future__ import annotations

import hashlib
import re

from pypiserver_stack.settings.groups.general import NAME, reserved

_MOST = 20
_DIGEST = 6
_PREFIX = "pypi-"


def resource_name(component: str) -> str:
    """The name of a component, as it is where AWS takes it, else shortened, with a digest of all of it.

    Pulumi appends eight characters of its own, different for each stack. What other programs call their components is
    up to them: of any length, in any script.
    """
    if re.fullmatch(NAME, component, re.ASCII) and not reserved(component):
        return component
    digest = hashlib.sha256(component.encode()).hexdigest()[:_DIGEST]
    words = re.sub(r"[^a-z0-9]+", "-", component.lower()).strip("-")
    if not words[:1].isalpha() or reserved(words):
        words = _PREFIX + words
    return f"{words[: _MOST - _DIGEST - 1].strip('-')}-{digest}"
