"""ECS tasks as processes: gunicorn with pypiserver, each task as its definition says."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from bench.common.atomic_file import write_whole
from bench.deployment.local_processes.local_command import IMAGE_WORKING_FOLDER, SEARCH_PATH, LocalCommand, localise
from bench.deployment.local_processes.processes import Child, spawn
from bench.deployment.local_processes.task_definition import TaskSpec


@dataclass(frozen=True)
class Task:
    """A running task: the id it puts into `X-Served-By`, where it listens, and what it may use."""

    id: str
    port: int
    memory_mb: int
    child: Child


def start_task(task_id: str, spec: TaskSpec, run_folder: Path) -> Task:
    """Start one task.

    Raises:
        UnavailableError: the definition asks for something that is not on this machine.
    """
    folder = run_folder / "tasks" / task_id
    (folder / "tmp").mkdir(parents=True)
    # The socket is handed over: a port that was only looked up might be somebody else's by the time it is bound.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        command = localise(spec, run_folder, listener.fileno())
        # A container inherits nothing from its host; Docker sets HOSTNAME to the container's id.
        environment = {
            "PATH": SEARCH_PATH,
            "LANG": "C.UTF-8",
            "HOME": str(folder),
            "TMPDIR": str(folder / "tmp"),
            "HOSTNAME": task_id,
            **command.environment,
        }
        working_folder = _working_folder(command, folder)
        child = spawn(task_id, command.argv, environment, folder, working_folder=working_folder, listener=listener)
        return Task(task_id, listener.getsockname()[1], spec.memory_mb, child)


def prepare_host(spec: TaskSpec, run_folder: Path) -> None:
    """Write the files that are there before a task starts, and make the folders that the tasks mount.

    Tasks of an earlier revision may be reading those files.
    """
    for path, content in spec.files.items():
        file = run_folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, content)
    for mounted in spec.mounts.values():
        if not (run_folder / mounted).exists():
            (run_folder / mounted).mkdir(parents=True)


def _working_folder(command: LocalCommand, folder: Path) -> Path:
    """A folder like the image's working directory, with what is mounted in it."""
    working_folder = folder / IMAGE_WORKING_FOLDER.relative_to("/")
    working_folder.mkdir()
    for path, mounted in command.working_folder.items():
        (working_folder / path).symlink_to(mounted)
    return working_folder
