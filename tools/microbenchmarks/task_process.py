"""Tasks for measurements: gunicorn as ECS would run it, with the server of this tree or of another commit."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sysconfig
import tarfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from pypiserver_stack.common.entry_point import UserError
from pypiserver_stack.tasks.container_definition import APPLICATION, CREDENTIALS_VARIABLES, GUNICORN_CONFIG

ROOT = Path(__file__).parents[2]
SERVER = "pypiserver_stack/container"
THIS = "this tree"
USER, PASSWORD = "pypiserver", "microbenchmark"
AUTHORIZATION = f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"


@contextlib.contextmanager
def task_process(
    commit: str, folder: Path, packages: Path, *, workers: int = 1, **environment: str
) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Port and master of a task.

    Args:
        commit: of the server; or `THIS`.
        folder: its own, which must exist; gets `stderr`.
        environment: variables that differ from, or add to, the usual ones.

    Raises:
        UserError: there is no such commit.
    """
    source = ROOT if commit == THIS else _extracted(commit, folder / "source")
    gunicorn = Path(sysconfig.get_path("scripts")) / "gunicorn"
    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "stderr").open("wb") as stderr:
        bound = ("--bind", f"fd://{listener.fileno()}")
        master = subprocess.Popen(
            [gunicorn, "--config", GUNICORN_CONFIG, *bound, "--log-level=warning", APPLICATION],
            cwd=source,
            env={**_environment(packages, workers), **environment},
            pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
        port = listener.getsockname()[1]
    # gunicorn has the listener: where that ends, nobody waits for an answer.
    try:
        yield port, master
    finally:
        master.terminate()
        master.wait()


def _extracted(commit: str, folder: Path) -> Path:
    """The files of a commit's server, importable from a folder."""
    archive = folder.with_suffix(".tar")
    git = ["git", "archive", f"--output={archive}", commit, SERVER]
    done = subprocess.run(git, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise UserError(f"--beside {commit}: {done.stderr.strip().splitlines()[-1]}")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    # Without it, the pypiserver_stack that is installed would be imported.
    (folder / "pypiserver_stack" / "__init__.py").touch()
    return folder


def _environment(packages: Path, workers: int) -> dict[str, str]:
    """The variables of a task, of this commit and of older ones."""
    credentials = json.dumps({"username": USER, "password": PASSWORD, "accepted_passwords": [PASSWORD]})
    return {
        "PATH": os.defpath,
        "GUNICORN_WORKERS": str(workers),
        "GUNICORN_WORKER_CONNECTIONS": "500",
        "GUNICORN_KEEPALIVE_S": "75",
        "PYPISERVER_PACKAGES": str(packages),
        "PYPISERVER_BACKEND": "validated",
        "PYPISERVER_AUTHENTICATION": "sha256",
        **dict.fromkeys(CREDENTIALS_VARIABLES.values(), credentials),
        "PYPISERVER_UPLOAD_LIMIT_MB": "2048",
        "PYPISERVER_OVERWRITE": "false",
        "PYPISERVER_BUILDS": "false",
        "PYPISERVER_REMOVAL": "true",
        "PYPISERVER_SHARED_CACHE": "false",
        "PYPISERVER_TIMING_HEADERS": "true",
        "PYPISERVER_INDEX_MARGIN_S": "3",  # as it is by default
        "PYTHONWARNINGS": "ignore",  # gunicorn 20.0.4 and pkg_resources
    }
