"""Authentication of requests, and the response to one without the right credentials."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from pypiserver_stack.container.access.credentials import (
    RetryLaterError,
    basic_credentials,
    generated_credentials,
    injected_secrets,
)
from pypiserver_stack.container.access.roles import ROLE, Check, roles_of_users
from pypiserver_stack.container.http.response import HttpResponse, text


class Authenticator:
    """The check of every request that is not public."""

    def __init__(self, check: Check) -> None:
        self._check = check

    def __call__(self, environ: MutableMapping[str, Any]) -> HttpResponse | None:
        """None lets the request in, with its user in REMOTE_USER and the user's role in `ROLE`; else the response.

        Wrong credentials are a 401 like missing ones: pypiserver's own 403 keeps clients from asking their user again.
        """
        offered = basic_credentials(environ.get("HTTP_AUTHORIZATION"))
        try:
            if offered is not None and (role := self._check(*offered, environ)) is not None:
                environ["REMOTE_USER"], environ[ROLE] = offered[0], role
                return None
        except RetryLaterError as error:
            return text(error.status, error.sentence, [("Retry-After", str(error.retry_after_s))])
        challenge = ("WWW-Authenticate", 'Basic realm="pypi"')
        return text("401 Unauthorized", "a user name and its password are needed", [challenge])


def authenticator_from_environment(environment: MutableMapping[str, str]) -> Authenticator:
    """The check that PYPISERVER_AUTHENTICATION names. The injected secrets are removed from the environment.

    Raises:
        ValueError: a variable is missing, or not what it must be.
    """
    injected = injected_secrets(environment)
    scheme = environment.get("PYPISERVER_AUTHENTICATION")
    if scheme == "sha256":
        return Authenticator(generated_credentials(injected))
    if scheme not in ("htpasswd", "bcrypt"):
        raise ValueError(f"PYPISERVER_AUTHENTICATION is {scheme!r}; it takes sha256, htpasswd or bcrypt")
    if not environment.get("PYPISERVER_HTPASSWD"):
        raise ValueError(
            f"PYPISERVER_AUTHENTICATION is {scheme}: PYPISERVER_HTPASSWD must be the path of the users' file"
        )

    # Only here: passlib is slow to import, and not needed otherwise.
    from pypiserver_stack.container.access.attempts import Attempts
    from pypiserver_stack.container.access.users_file import UserFile
    from pypiserver_stack.container.access.verifier import Verifier

    file = UserFile(Path(environment["PYPISERVER_HTPASSWD"]))
    is_right = Verifier(file.users, Attempts()).check if scheme == "htpasswd" else file.check
    return Authenticator(roles_of_users(is_right, environment.get("PYPISERVER_HTPASSWD_ROLES", "{}")))
