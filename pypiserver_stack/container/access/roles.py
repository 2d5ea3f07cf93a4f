"""Roles: what the holder of a credential may do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any


class Role(IntEnum):
    """Rights on the index. Each role has those of the roles below it."""

    READ = 1
    """Listings, downloads and search."""
    UPLOAD = 2
    """Packages that are new."""
    ADMIN = 3
    """Removal and yanking too."""


Check = Callable[[str, str, Mapping[str, object]], "Role | None"]
"""User name, password, and the request they came with: the role of right ones. May raise `RetryLaterError`."""

ROLE = "pypiserver.role"
"""Key of a request's environ that has the role of its credentials."""


def missing_right(environ: Mapping[str, Any], needed: Role) -> str | None:
    """The sentence to refuse a request with; None where its role has the right."""
    role: Role = environ[ROLE]
    if role >= needed:
        return None
    least = needed.name.lower() if needed is Role.ADMIN else f"{needed.name.lower()} at least"
    return f"This needs the role {least}, and your user has the role {role.name.lower()}."


def roles_of_users(is_right: Callable[[str, str, Mapping[str, object]], bool], roles: str) -> Check:
    """The check of users whose passwords somebody else checks.

    Args:
        roles: JSON, user name to role. Empty: all users may do all. Otherwise a user that it does not name may read.

    Raises:
        ValueError: it is something else.
    """
    try:
        by_name = {name: Role[role.upper()] for name, role in json.loads(roles).items()}
    except (ValueError, AttributeError, KeyError) as error:
        raise ValueError(f"PYPISERVER_HTPASSWD_ROLES is {roles!r}; it takes JSON, user name to role") from error
    of_others = Role.READ if by_name else Role.ADMIN

    def check(username: str, password: str, request: Mapping[str, object]) -> Role | None:
        return by_name.get(username, of_others) if is_right(username, password, request) else None

    return check
