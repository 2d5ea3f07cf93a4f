"""devpi-server, another index of Python packages, behind the same balancer as a stack."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.common.failures import UnavailableError
from bench.common.run_mark import RUN_VARIABLE
from bench.deployment import RunContext
from bench.deployment.description import Description
from bench.deployment.local import LocalIndex
from bench.deployment.local_processes import local_http
from bench.deployment.local_processes.processes import spawn
from bench.deployment.local_processes.reconcile import DesiredState, LocalStack
from bench.deployment.local_processes.task_definition import TaskSpec
from bench.deployment.local_processes.tasks import Task
from bench.deployment.process_index import ProcessIndex
from bench.index.target import Target
from bench.packages.factory import default_cache_dir

# devpi-server and all that it needs, each at one version; `make lock` writes it.
PINS = Path(__file__).with_name("devpi.txt")
_PIN = "devpi-server=="
VERSION = next(line.removeprefix(_PIN) for line in PINS.read_text().splitlines() if line.startswith(_PIN))
# Its default of 100 leaves keep-alive clients waiting: each holds its connection.
CONNECTION_LIMIT = 2_000
_THREADS = 50  # its default
_USER = "root"
_INDEX = "/root/packages"
_HEALTH_CHECK_PATH = "/+api"
_TIMEOUT_S = 30.0
_INIT_TIMEOUT_S = 120.0
_CONCURRENT_UPLOADS = 4


class DevpiIndex(ProcessIndex):
    """devpi-server beside a stack that is up; an `IndexUnderTest`."""

    def __init__(self, beside: LocalIndex, name: str) -> None:
        """
        Args:
            beside: the stack whose kind of balancer it has.
            name: of that stack, as the user knows it.
        """
        self._beside = beside
        self._name = name

    def up(self, run: RunContext) -> Target:
        """Install devpi-server where it is missing, start it and make an index."""
        run.step("start")
        password = secrets.token_hex(16)
        run.keep_secret([password])
        self._started = processes = DevpiProcesses(self._beside.processes.state, run.scratch_folder, password)
        processes.start()
        token = _make_index(f"127.0.0.1:{processes.tasks[0].port}", password)
        run.keep_secret([token])
        run.note(f"devpi-server {VERSION} behind {processes.url}")
        return Target(f"{processes.url}{_INDEX}/+simple/", _USER, token)

    def describe(self) -> Description:
        if self._started is None:
            return Description()
        tasks = len(self._beside.processes.tasks)
        return Description(
            url=self._started.url,
            tasks=tuple(task.id for task in self._started.tasks),
            concurrent_uploads=_CONCURRENT_UPLOADS,
            notes=(
                f"devpi-server {VERSION} is one process of {_THREADS} threads, as it is usually run; {self._name} has "
                f"{tasks} tasks. Its connection limit is raised from 100 to {CONNECTION_LIMIT:,}, because each "
                "keep-alive client holds a connection.",
                "devpi-server redirects nobody from a name to its listing: its clients ask for the listing at once. "
                "It closes the connection after each listing, and the balancer opens another. It sends no "
                "Server-Timing. Clients send a login token, which it checks without a password hash.",
            ),
        )


class DevpiProcesses(LocalStack):
    """One devpi-server behind a balancer like that of a stack."""

    def __init__(self, state: DesiredState, folder: Path, password: str) -> None:
        check = replace(state.balancer.health_check, path=_HEALTH_CHECK_PATH, statuses=(200, 200))
        super().__init__(replace(state, balancer=replace(state.balancer, health_check=check)), folder, task_count=1)
        self._password = password

    def _prepare(self, spec: TaskSpec) -> None:
        """Install devpi-server, and initialize the folder of its data."""
        executables = installed()
        folder = self._folder / "devpi"
        folder.mkdir(parents=True)
        # Command lines can be read by every user of this machine, this file cannot.
        configuration = folder / "devpi.yaml"
        configuration.touch(0o600)
        configuration.write_text(f"devpi-server:\n  serverdir: {folder / 'data'}\n  root-passwd: {self._password}\n")
        try:
            done = subprocess.run(
                [executables / "devpi-init", "--configfile", configuration, "--no-root-pypi"],
                env={**_environment(folder), RUN_VARIABLE: os.environ[RUN_VARIABLE]},
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
                timeout=_INIT_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            raise UnavailableError(f"devpi-init did not end within {_INIT_TIMEOUT_S:g} s") from None
        configuration.unlink()
        if done.returncode:
            raise UnavailableError(f"devpi-init failed: {_last_line(done.stdout + done.stderr)}")

    def _start_task(self, number: int, spec: TaskSpec) -> Task:
        folder = self._folder / "devpi"
        # It takes no listening socket from us: a port that another process binds meanwhile ends it.
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        argv = [str(installed() / "devpi-server"), "--serverdir", str(folder / "data"), "--listen", f"127.0.0.1:{port}"]
        argv += ["--threads", str(_THREADS), "--connection-limit", str(CONNECTION_LIMIT), "--offline-mode"]
        # The key of its login tokens, which the defaults derive for a minute of CPU time at each start.
        argv += ["--argon2-memory-cost", "1024", "--argon2-time-cost", "1", "--argon2-parallelism", "1"]
        task_id = f"devpi-{number}"
        return Task(task_id, port, spec.memory_mb, spawn(task_id, argv, _environment(folder), folder))


def installed() -> Path:
    """The folder of devpi-server's commands, in an environment of its own in the user's cache folder.

    Raises:
        UnavailableError: it has to be installed, and the package registry does not give it.
    """
    environment = (
        default_cache_dir() / f"devpi-server-{VERSION}-python-{sys.version_info.major}.{sys.version_info.minor}"
    )
    stamp = environment / PINS.name
    environment.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Another run that installs it at the same time would delete what this one has installed so far.
    with environment.with_name(f"{environment.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.is_file() or stamp.read_bytes() != PINS.read_bytes():
            shutil.rmtree(environment, ignore_errors=True)
            _run_installer(sys.executable, "-m", "venv", environment)
            pip = (environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet")
            _run_installer(*pip, "install", "--no-deps", "--only-binary=:all:", "--requirement", PINS)
            stamp.write_bytes(PINS.read_bytes())
    return environment / "bin"


def _run_installer(*command: str | Path) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnavailableError(
            f"devpi-server {VERSION}, which --against devpi needs, cannot be installed from the package registry: "
            f"{_last_line(done.stdout + done.stderr)}"
        )


def _make_index(address: str, password: str) -> str:
    """Make the index that only its user writes to; returns a login token of that user."""
    credentials = {"Authorization": f"Basic {b64encode(f'{_USER}:{password}'.encode()).decode()}"}
    _send_json("PUT", address, _INDEX, {"type": "stage", "bases": [], "acl_upload": [_USER]}, credentials)
    login = _send_json("POST", address, "/+login", {"user": _USER, "password": password}, {})
    return str(login["result"]["password"])


def _send_json(method: str, address: str, path: str, value: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
    headers = {**headers, "Content-Type": "application/json", "Accept": "application/json"}
    answer = local_http.send(method, address, path, _TIMEOUT_S, body=json.dumps(value).encode(), headers=headers)
    if answer.status != 200:
        raise UnavailableError(f"devpi-server answered {method} {path} with status {answer.status}")
    return json.loads(answer.body)


def _environment(folder: Path) -> dict[str, str]:
    # A library of it warns of itself at each start.
    return {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", "PYTHONWARNINGS": "ignore"}


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no output")
