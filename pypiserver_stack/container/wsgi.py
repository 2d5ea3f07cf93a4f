"""The WSGI application: pypiserver, configured through its own options, with the task's name on every answer."""

import os
from pathlib import Path

import pypiserver
from credentials import checker_from_environment

# Docker names a container's host after the container; ECS lists the same id with the task.
TASK_ID = os.environ.get("HOSTNAME", "unknown")

_pypiserver = pypiserver.app(
    roots=[Path(os.environ["PYPISERVER_PACKAGES"])],
    backend_arg=os.environ["PYPISERVER_BACKEND"],
    authenticate=["download", "list", "update"],
    auther=checker_from_environment(),
    password_file=".",  # pypiserver refuses to authenticate without one; the auther above never reads it
    disable_fallback=True,
)


def application(environ, start_response):  # type: ignore[no-untyped-def]
    """pypiserver's answer, with `X-Served-By`."""

    def start(status, headers, exc_info=None):  # type: ignore[no-untyped-def]
        return start_response(status, [*headers, ("X-Served-By", TASK_ID)], exc_info)

    return _pypiserver(environ, start)
