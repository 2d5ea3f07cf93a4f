"""pip, uv, poetry and twine as somebody runs them who has nothing but an index: a home of their own, no other network.

    client = PackageClient(tmp_path / "home")
    client.run("pip", "download", "demo", "--index-url", simple_url(task))

They are those of this virtual environment. None of the variables and settings of whoever runs the tests reaches them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import quote

from pypiserver_stack.tasks.container_definition import APPLICATION
from tests.pypiserver_stack.container.running_task import PASSWORD, USERNAME, RunningTask, start_task

_SCRIPTS = Path(sysconfig.get_path("scripts"))
_PATIENCE_S = 120

# For poetry: a lock file needs no virtual environment, which takes as long as the rest.
WITHOUT_VIRTUALENV = {"POETRY_VIRTUALENVS_CREATE": "false"}

_PROJECT = """
[project]
name = "app"
version = "0"
requires-python = ">=3.11,<4"
dependencies = {requirements}

[[tool.uv.index]]
name = "internal"
url = "{url}"
default = true

[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "internal"
url = "{url}"
priority = "primary"
"""

# As if every client were an old one, to which JSON means nothing.
_HTML_ALONE = """
from pypiserver_stack.container.entry.wsgi import application as whole

def application(environ, start_response):
    return whole({**environ, "HTTP_ACCEPT": "text/html"}, start_response)
"""


@contextmanager
def start_index(
    folder: Path, *, packages: Path | None = None, listings: Literal["json", "html"] = "json", **environment: str
) -> Iterator[RunningTask]:
    """A task with the validated index and two workers; `packages` are kept in `folder` where it does not say.

    Args:
        listings: the form that every client gets; all of them take JSON where they may choose.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "html_alone.py").write_text(_HTML_ALONE)
    with start_task(
        folder,
        packages=packages or folder / "packages",
        workers=2,
        app="html_alone:application" if listings == "html" else APPLICATION,
        PYPISERVER_BACKEND="validated",
        **environment,
    ) as task:
        yield task


class PackageClient:
    """Somebody's account: `home` holds all that their tools keep, and every tool runs in `home / "work"`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.work = home / "work"
        self.work.mkdir(parents=True)

    def start(self, tool: str, *arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
        """Start `tool` of this virtual environment, with nobody there to answer a question: no stdin, no terminal."""
        return subprocess.Popen(
            [_SCRIPTS / tool, *arguments],
            cwd=self.work,
            env={**self._environment(), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, tool: str, *arguments: str | Path, **environment: str) -> str:
        """What `tool` printed.

        Raises:
            AssertionError: it failed, or hangs; carries what it printed.
        """
        return succeeded(self.start(tool, *arguments, **environment))

    def fail(self, tool: str, *arguments: str | Path, **environment: str) -> str:
        """What `tool` printed before it failed, as it had to.

        Raises:
            AssertionError: it succeeded, or hangs.
        """
        process = self.start(tool, *arguments, **environment)
        printed = _ended(process)
        assert process.returncode > 0, printed
        return printed

    def publish(self, task: RunningTask, *packages: Path) -> None:
        """Upload packages with uv, the fastest."""
        self.run("uv", "publish", "--publish-url", f"{task.url}/", *packages, **credentials("UV_PUBLISH"))

    def write_project(self, task: RunningTask, *requirements: str) -> None:
        """Make the working folder a project that knows the index as `internal`, for uv and poetry, but no password."""
        (self.work / "pyproject.toml").write_text(
            _PROJECT.format(requirements=list(requirements), url=simple_url(task, None))
        )

    def lock_with_poetry(self, *options: str, **environment: str) -> None:
        """Lock the project."""
        self.run("poetry", "--no-interaction", "lock", *options, **WITHOUT_VIRTUALENV, **environment)

    def write_netrc(self, password: str = PASSWORD) -> None:
        """Tell every tool that reads ~/.netrc the credentials."""
        netrc = self.home / ".netrc"
        netrc.write_text(f'machine 127.0.0.1 login {USERNAME} password "{password}"\n')
        netrc.chmod(0o600)

    def installed(self) -> dict[str, str]:
        """Source by name of the modules in the project's own environment."""
        return modules(next(self.work.glob(".venv/lib/python3*/site-packages")))

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "COLUMNS": "200",
            "NO_COLOR": "1",
            # Whatever asks for another host than the index is refused at once.
            "ALL_PROXY": "http://127.0.0.1:9",
            "HTTPS_PROXY": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
            "NO_PROXY": "127.0.0.1",
            # Nobody's desktop is asked for a password.
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_PYTHON": sys.executable,
            "UV_PYTHON_DOWNLOADS": "never",
            "POETRY_VIRTUALENVS_IN_PROJECT": "true",
            "POETRY_VIRTUALENVS_OPTIONS_NO_PIP": "true",
        }


def locked_versions(client: PackageClient) -> dict[str, str]:
    """Version by name of what poetry has locked."""
    locked = tomllib.loads((client.work / "poetry.lock").read_text())
    return {package["name"]: package["version"] for package in locked["package"]}


def succeeded(process: subprocess.Popen[str]) -> str:
    """What a client printed that had to succeed; waits for its end."""
    printed = _ended(process)
    assert process.returncode == 0, printed
    return printed


def _ended(process: subprocess.Popen[str]) -> str:
    try:
        return process.communicate(timeout=_PATIENCE_S)[0]
    except subprocess.TimeoutExpired as hanging:
        process.kill()
        raise AssertionError(f"it hangs; so far: {process.communicate()[0]}") from hanging


def modules(folder: Path) -> dict[str, str]:
    """Source by name of the modules in a folder."""
    return {path.name: path.read_text() for path in folder.glob("*.py")}


def simple_url(task: RunningTask, password: str | None = PASSWORD) -> str:
    """The index with credentials in its URL; without any where `password` is None."""
    user = "" if password is None else f"{USERNAME}:{quote(password)}@"
    return f"http://{user}127.0.0.1:{task.port}/simple/"


def credentials(prefix: str, password: str = PASSWORD) -> dict[str, str]:
    """The two variables in which a tool looks for them, such as TWINE_USERNAME and TWINE_PASSWORD."""
    return {f"{prefix}_USERNAME": USERNAME, f"{prefix}_PASSWORD": password}


class LoggedRequest(NamedTuple):
    """A request as the access log has it."""

    method: str
    path: str
    status: int
    response_bytes: int


def asked(task: RunningTask, tool: str) -> list[LoggedRequest]:
    """All that a tool has asked of a task, in the order of the answers. Stops the task.

    A line of the log may be written after the client has its answer; once the task has ended, none is missing.
    """
    if task.process.poll() is None:
        task.stop()
    lines = (line for line in task.access_log() if (line["user_agent"] or "").startswith(tool))
    return [LoggedRequest(line["method"], line["path"], line["status"], line["response_bytes"]) for line in lines]
