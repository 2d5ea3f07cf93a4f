"""Yanking of releases (PEP 592): the actions `yank` and `unyank`, beside pypiserver's `remove_pkg`."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from pathlib import Path

from pypiserver.backend import IBackend
from pypiserver.bottle_wrapper import Bottle, HTTPError, request

from pypiserver_stack.container.base.offload import offload
from pypiserver_stack.container.base.yanks import MAX_REASON_BYTES, unyank, yank
from pypiserver_stack.container.pypiserver_hooks.package_file import PackageFile

_log = logging.getLogger("gunicorn.error")


def add_yanking(app: Bottle, backend: IBackend, root: Path) -> Bottle:
    """`app` with these actions in front of pypiserver's own."""
    (pypiservers,) = [route.callback for route in app.routes if (route.rule, route.method) == ("/", "POST")]

    def update() -> str:
        action = request.forms.get(":action")
        if action not in ("yank", "unyank"):
            answer: str = pypiservers()
            return answer
        reason = _field("reason")
        if len(reason.encode()) > MAX_REASON_BYTES:
            raise HTTPError(400, f"The reason is longer than {MAX_REASON_BYTES} bytes.")
        for package in _release(backend, _field("name"), _field("version")):
            if action == "yank":
                _change(package, lambda relfn: yank(root, relfn, reason))
            else:
                _change(package, lambda relfn: unyank(root, relfn))
        return ""

    app.route("/", "POST", update)
    return app


def _field(name: str) -> str:
    # bottle hands the bytes of a form over as Latin-1.
    value: bytes = request.forms.get(name, "").encode("latin-1")
    try:
        return " ".join(value.decode().split())
    except UnicodeDecodeError:
        raise HTTPError(400, f"The field {name!r} is not UTF-8.") from None


def _release(backend: IBackend, name: str, version: str) -> list[PackageFile]:
    if not name or not version:
        raise HTTPError(400, f"A release has a name and a version; the form says {name!a} and {version!a}.")
    packages = [package for package in backend.find_version(name, version) if not package.relfn.endswith(".asc")]
    if not packages:
        raise HTTPError(404, f"There is no release {version!a} of {name!a}.")
    return packages


def _change(package: PackageFile, change: Callable[[str], None]) -> None:
    try:
        offload(change, package.relfn)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise HTTPError(400, f"{package.relfn!a} cannot be yanked: its name is too long.") from error
        _log.error("the yank of %a could not be changed: %s", package.relfn, error.strerror)
        sentence = (
            f"The yank of {package.relfn!a} could not be changed: {error.strerror}. Other files of "
            f"{package.pkgname} {package.version} may be changed already. Send the request again once the cause is "
            "mended: all of them are changed then."
        )
        raise HTTPError(503, sentence, headers={"Retry-After": "10"}) from error
