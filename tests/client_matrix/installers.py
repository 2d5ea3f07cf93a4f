"""How each installer is asked for the same: pip and uv from a list of requirements, the others with a lock file."""

from __future__ import annotations

import json
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from tests.client_matrix.environments import executable
from tests.client_matrix.pins import Client
from tests.pypiserver_stack.container.clients.real_clients import WITHOUT_VIRTUALENV, PackageClient, simple_url
from tests.pypiserver_stack.container.running_task import RunningTask

BETWEEN = "2021-01-01T00:00:00Z"
"""Older and newer files lie years away from it."""

_IN_PROJECT = {"PIPENV_VENV_IN_PROJECT": "1"}

_POETRY = """
[tool.poetry]
package-mode = false

[tool.poetry.dependencies]
python = ">=3.11,<4"
{name} = "{specifier}"

[[tool.poetry.source]]
name = "internal"
url = "{url}"
priority = "primary"
"""

_PDM = """
[project]
name = "app"
version = "0"
requires-python = ">=3.11"
dependencies = ["{requirement}"]

[tool.pdm]
distribution = false

[[tool.pdm.source]]
name = "pypi"
url = "{url}"
"""

_PIPFILE = """
[[source]]
name = "internal"
url = "{url}"
verify_ssl = false

[packages]
"{name}" = "{specifier}"
"""


class Installer(ABC):
    """A client that takes packages from an index, for one account."""

    newer_excluded: ClassVar[tuple[tuple[str, ...], Mapping[str, str]] | None] = None
    """Options and variables that exclude what was uploaded after `BETWEEN`; None where there are none."""

    def __init__(self, client: Client, account: PackageClient, task: RunningTask, password: str) -> None:
        self.account = account
        self._command = str(executable(client))
        self._url = simple_url(task, password)

    @abstractmethod
    def install(
        self, project: str, specifier: str = "", *, options: tuple[str, ...] = (), environment: Mapping[str, str] = {}
    ) -> str:
        """Install a project and what it needs, and return its version.

        Raises:
            AssertionError: the client failed; carries what it printed.
        """

    @abstractmethod
    def choose(
        self, project: str, specifier: str = "", *, options: tuple[str, ...] = (), environment: Mapping[str, str] = {}
    ) -> str:
        """The version that it takes, by the shortest way to find out."""

    @abstractmethod
    def install_by_digest(self, project: str, listed: str, wanted: str) -> None:
        """Install version 1.0 of a project, of whose wheel another digest is wanted than the listed one, or the same.

        Raises:
            AssertionError: it refuses to; carries what it printed.
        """

    def _run(self, *arguments: str, environment: Mapping[str, str] = {}) -> str:
        return self.account.run(self._command, *arguments, **{**_IN_PROJECT, **environment})


class Pip(Installer):
    """pip, into a folder of its own for each installation."""

    _INSTALL: ClassVar = ["install", "--no-cache-dir"]

    def install(
        self, project: str, specifier: str = "", *, options: tuple[str, ...] = (), environment: Mapping[str, str] = {}
    ) -> str:
        return self._install(f"{project}{specifier}", *options, environment=environment)[project]

    choose = install

    def install_by_digest(self, project: str, listed: str, wanted: str) -> None:
        requirements = self.account.work / "requirements.txt"
        requirements.write_text(f"{project}==1.0 --hash=sha256:{wanted}\n")
        self._install("--require-hashes", "-r", str(requirements))

    def _install(self, *arguments: str, environment: Mapping[str, str] = {}) -> dict[str, str]:
        """Versions by project of what is installed then."""
        folder = self.account.work / f"installed-{len(list(self.account.work.iterdir()))}"
        options = ["--target", str(folder), "--index-url", self._url]
        self._run(*self._INSTALL, *options, *arguments, environment=environment)
        return _installed(folder)


class CurrentPip(Pip):
    """pip since 26."""

    newer_excluded = ((f"--uploaded-prior-to={BETWEEN}",), {})


class Uv(Pip):
    """uv's `pip install`."""

    _INSTALL: ClassVar = ["pip", "install", "--no-cache"]
    newer_excluded = (("--exclude-newer", BETWEEN), {})


class LockingInstaller(Installer):
    """A client that writes what it has chosen into a file, and installs from it into an environment of the project."""

    lock_file: ClassVar[str]
    lock: ClassVar[tuple[str, ...]]
    sync: ClassVar[tuple[str, ...]]
    any_version: ClassVar[str] = "*"
    lock_alone: ClassVar[Mapping[str, str]] = {}
    """Variables that spare an account the environment that it needs to install."""

    def install(
        self, project: str, specifier: str = "", *, options: tuple[str, ...] = (), environment: Mapping[str, str] = {}
    ) -> str:
        self.choose(project, specifier, options=options, environment=environment)
        self._run(*self.sync)
        # As those of poetry and pdm by themselves, or by what an account sets.
        (folder,) = self.account.work.glob(".venv/lib/python3*/site-packages")
        return _installed(folder)[project]

    def choose(
        self, project: str, specifier: str = "", *, options: tuple[str, ...] = (), environment: Mapping[str, str] = {}
    ) -> str:
        self._lock_path.unlink(missing_ok=True)
        self._write_project(project, specifier or self.any_version)
        self._run(*self.lock, *options, environment={**self.lock_alone, **environment})
        return self._locked(self._lock_path.read_text())[project]

    def install_by_digest(self, project: str, listed: str, wanted: str) -> None:
        self.choose(project, "==1.0")
        locked = self._lock_path.read_text()
        assert listed in locked, locked
        self._lock_path.write_text(locked.replace(listed, wanted))
        self._run(*self.sync)

    @property
    def _lock_path(self) -> Path:
        return self.account.work / self.lock_file

    @abstractmethod
    def _write_project(self, project: str, specifier: str) -> None:
        """A project that wants one other."""

    @abstractmethod
    def _locked(self, text: str) -> dict[str, str]:
        """Versions by project."""


class Poetry(LockingInstaller):
    """poetry."""

    lock_file = "poetry.lock"
    lock = ("--no-interaction", "lock")
    lock_alone = WITHOUT_VIRTUALENV
    sync = ("--no-interaction", "install")

    def _write_project(self, project: str, specifier: str) -> None:
        page = _POETRY.format(name=project, specifier=specifier, url=self._url)
        (self.account.work / "pyproject.toml").write_text(page)

    def _locked(self, text: str) -> dict[str, str]:
        return {package["name"]: package["version"] for package in tomllib.loads(text)["package"]}


class CurrentPoetry(Poetry):
    """poetry since 2.5."""

    newer_excluded = ((), {"POETRY_SOLVER_MIN_RELEASE_AGE": "7"})


class Pdm(LockingInstaller):
    """pdm."""

    lock_file = "pdm.lock"
    lock = ("lock",)
    sync = ("sync", "--no-self")
    any_version = ""
    newer_excluded = (("--exclude-newer", BETWEEN), {})

    def _write_project(self, project: str, specifier: str) -> None:
        page = _PDM.format(requirement=f"{project}{specifier}", url=self._url)
        (self.account.work / "pyproject.toml").write_text(page)

    def _locked(self, text: str) -> dict[str, str]:
        return {package["name"]: package["version"] for package in tomllib.loads(text)["package"]}


class Pipenv(LockingInstaller):
    """pipenv, which carries a pip of its own, and takes no credentials from a URL to the files that it lists."""

    lock_file = "Pipfile.lock"
    lock = ("lock",)
    sync = ("sync",)

    def __init__(self, client: Client, account: PackageClient, task: RunningTask, password: str) -> None:
        super().__init__(client, account, task, password)
        self._url = simple_url(task, None)
        account.write_netrc(password)

    def _write_project(self, project: str, specifier: str) -> None:
        page = _PIPFILE.format(name=project, specifier=specifier, url=self._url)
        (self.account.work / "Pipfile").write_text(page)

    def _locked(self, text: str) -> dict[str, str]:
        return {name: package["version"].removeprefix("==") for name, package in json.loads(text)["default"].items()}


def _installed(folder: Path) -> dict[str, str]:
    """Versions by project, of the wheels that were installed into a folder."""
    stems = (path.stem.split("-") for path in folder.glob("*.dist-info"))
    return {stem[0].replace("_", "-"): stem[1] for stem in stems}


INSTALLERS: dict[str, tuple[type[Installer], type[Installer]]] = {
    "pip": (Pip, CurrentPip),
    "uv": (Uv, Uv),
    "poetry": (Poetry, CurrentPoetry),
    "pdm": (Pdm, Pdm),
    "pipenv": (Pipenv, Pipenv),
}
"""By name of the client: an older one, and the current one."""
