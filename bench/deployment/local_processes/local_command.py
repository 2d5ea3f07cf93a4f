"""Local command of a task, from what its container would run.

One table maps what a container sees to what is here: paths, the port, the entry point, the working directory. What is
not in it is an error, never a guess.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

from bench.common.failures import UnavailableError
from bench.deployment.local_processes.task_definition import TaskSpec
from pypiserver_stack.tasks.server_files import FILES_VARIABLE

_SCRIPTS = Path(sysconfig.get_path("scripts"))
# Entry point of a task -> the same program in this environment.
EXECUTABLES = {"python": Path(sys.executable)}
# The image's own: it becomes the user 9898, which needs root, and then this with the words of the command.
IMAGE_ENTRY_POINT = _SCRIPTS / "pypi-server"
IMAGE_WORKING_FOLDER = PurePosixPath("/data")
# Docker sets it to the image's; what a task starts by name is found in this environment first.
SEARCH_PATH = f"{_SCRIPTS}{os.pathsep}{os.defpath}"
_BIND = re.compile(r"(0\.0\.0\.0|\[::\]|\*)?:(?P<port>\d+)")


@dataclass(frozen=True)
class LocalCommand:
    """A task's command line and environment on this machine, and what it finds in its working folder."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    working_folder: Mapping[PurePosixPath, Path]
    """Path in the working folder to what is mounted there."""


def localise(task: TaskSpec, run_folder: Path, listener: int) -> LocalCommand:
    """The task's command line here, with its paths, port and entry point mapped.

    Args:
        listener: file descriptor of the socket that stands for the container's port.

    Raises:
        UnavailableError: something in it is not in the table.
    """
    words = [*task.entry_point[1:], *task.command]
    environment = {
        # The files of the server are base64, which may begin with a slash and be no path.
        name: value if name == FILES_VARIABLE else _map(value, task, run_folder, listener)
        for name, value in task.environment.items()
    }
    if task.entry_point:
        executable = EXECUTABLES.get(task.entry_point[0])
        if executable is None:
            raise UnavailableError(f"entry point {task.entry_point[0]!r} is not one of {', '.join(EXECUTABLES)}")
        binds = any(_binds(word, task.container_port) for word in words)
    else:
        executable = IMAGE_ENTRY_POINT
        binds = {("-p", str(task.container_port)), ("--server", "gunicorn")} <= set(pairwise(words))
        # `pypi-server` tells gunicorn a port to bind; what stands in this variable comes after that, and goes before.
        options = environment.get("GUNICORN_CMD_ARGS", "")
        environment["GUNICORN_CMD_ARGS"] = f"{options} --bind fd://{listener}".lstrip()
    if not binds:
        raise UnavailableError(
            f"no word of the task's command has gunicorn bind container port {task.container_port}: {' '.join(words)}"
        )
    if not executable.exists():
        raise UnavailableError(f"{executable} is missing: run `make install`")
    return LocalCommand(
        argv=(str(executable), *(_map(word, task, run_folder, listener) for word in words)),
        environment=environment,
        working_folder={
            path.relative_to(IMAGE_WORKING_FOLDER): run_folder / local_path
            for path, local_path in task.mounts.items()
            if path.is_relative_to(IMAGE_WORKING_FOLDER)
        },
    )


def _map(word: str, task: TaskSpec, run_folder: Path, listener: int) -> str:
    if _binds(word, task.container_port):
        return f"fd://{listener}"
    if not word.startswith("/"):
        return word
    local_path = task.local_path(PurePosixPath(word))
    if local_path is None:
        raise UnavailableError(f"path {word} in the task's command or environment lies on none of its mounts")
    return str(run_folder / local_path)


def _binds(word: str, port: int) -> bool:
    bind = _BIND.fullmatch(word)
    return bind is not None and int(bind["port"]) == port
