"""What the tests of the benchmark share: a package index in a process of its own, and the command line."""

from __future__ import annotations

import os
import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import bcrypt
import pytest

from tests.bench.command_line import Bench, InProcessBench
from tests.dead_proxy import DEAD_PROXY

_GUNICORN = Path(sysconfig.get_path("scripts")) / "gunicorn"
_GUNICORN_OPTIONS = ("--threads=8", "--graceful-timeout=1")


@dataclass(frozen=True)
class ServedIndex:
    """A running pypiserver that asks for credentials for everything."""

    url: str
    username: str
    password: str = field(repr=False)
    packages: Path
    """The folder that it serves."""


@pytest.fixture
def pypi_server(tmp_path: Path) -> Iterator[ServedIndex]:
    """An empty one."""
    folder = tmp_path / "pypi-server"
    packages = folder / "packages"
    packages.mkdir(parents=True)
    htpasswd = folder / "htpasswd"
    htpasswd.write_text(f"uploader:{bcrypt.hashpw(b's3cret', bcrypt.gensalt(4)).decode()}\n")
    options = {
        "roots": [str(packages)],
        "password_file": str(htpasswd),
        "authenticate": ["download", "list", "update"],
        "backend_arg": "simple-dir",
        "disable_fallback": True,
    }
    application = f"pypiserver:app({', '.join(f'{name}={value!r}' for name, value in options.items())})"
    # Whoever connects waits in the listener's queue until gunicorn is up.
    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [_GUNICORN, f"--bind=fd://{listener.fileno()}", *_GUNICORN_OPTIONS, application],
            cwd=folder,
            env={**os.environ, "TMPDIR": str(folder)},
            pass_fds=[listener.fileno()],
            stdout=log,
            stderr=log,
        )
        try:
            yield ServedIndex(f"http://127.0.0.1:{listener.getsockname()[1]}", "uploader", "s3cret", packages)
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture(scope="session")
def wheel_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def bench(tmp_path: Path, wheel_cache: Path) -> Iterator[Bench]:
    """The command line, in folders of its own, behind a proxy that no call to a process of ours may go through.

    What a test that fails has started is ended with it.
    """
    bench = Bench(tmp_path, _environment(tmp_path, wheel_cache))
    yield bench
    for process in bench.started:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=60)


@pytest.fixture
def in_process_bench(tmp_path: Path, wheel_cache: Path) -> InProcessBench:
    """The same in this process."""
    return InProcessBench(tmp_path, _environment(tmp_path, wheel_cache))


def _environment(folder: Path, wheel_cache: Path) -> dict[str, str]:
    temporary = folder / "tmp"
    temporary.mkdir()
    return {**os.environ, **DEAD_PROXY, "TMPDIR": str(temporary), "XDG_CACHE_HOME": str(wheel_cache)}
