"""How each client that publishes is asked for the same: a wheel and a source distribution of one project."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from tests.client_matrix.environments import executable
from tests.client_matrix.pins import Client
from tests.pypiserver_stack.container.clients.real_clients import PackageClient, credentials, simple_url
from tests.pypiserver_stack.container.running_task import PASSWORD, USERNAME, RunningTask
from tests.pypiserver_stack.container.small_packages import make_sdist, make_wheel

_PROJECT = """
[project]
name = "{name}"
version = "1.0"
description = "{description}"

[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"
"""

_LEGACY_POETRY = """
[tool.poetry]
name = "{name}"
version = "1.0"
description = ""
authors = []
"""


class Publisher(ABC):
    """A client that publishes from the working folder of an account."""

    skip_existing: tuple[str, ...] | None = ("--skip-existing",)
    """Options that have it pass over files that exist; None where there are none."""
    skips_other_content: ClassVar[bool] = True
    """Whether it does so whatever they hold."""

    def __init__(self, client: Client, account: PackageClient, task: RunningTask) -> None:
        self._account = account
        self._command = str(executable(client))
        self._task = task

    def build(self, project: str, content: bytes = b"") -> None:
        """Make the project, and its wheel and source distribution in `dist`, with that content."""
        (self._account.work / "pyproject.toml").write_text(_PROJECT.format(name=project, description=""))
        built, dist = self._account.work / "built", self._account.work / "dist"
        dist.mkdir(exist_ok=True)
        for file in (
            make_wheel(built, project, "1.0", padding=content),
            make_sdist(built, project, "1.0", padding=content),
        ):
            file.replace(dist / file.name)

    def publish(self, *options: str, password: str = PASSWORD) -> str:
        """What it prints.

        Raises:
            AssertionError: it failed; carries what it printed.
        """
        arguments, environment = self._call(password)
        return self._account.run(self._command, *arguments, *options, **environment)

    @property
    def files(self) -> list[Path]:
        """The wheel, then the source distribution."""
        return sorted(self._account.work.glob("dist/*"))

    @abstractmethod
    def _call(self, password: str) -> tuple[list[str], Mapping[str, str]]:
        """Arguments and variables."""


class Twine(Publisher):
    """twine. Why an upload failed it says with --verbose."""

    def _call(self, password: str) -> tuple[list[str], Mapping[str, str]]:
        upload = ["upload", "--verbose", "--non-interactive", "--repository-url", f"{self._task.url}/"]
        return [*upload, *map(str, self.files)], credentials("TWINE", password)


class Uv(Publisher):
    """uv's `publish`."""

    skips_other_content = False

    def __init__(self, client: Client, account: PackageClient, task: RunningTask) -> None:
        super().__init__(client, account, task)
        self.skip_existing = ("--check-url", simple_url(task))

    def _call(self, password: str) -> tuple[list[str], Mapping[str, str]]:
        return ["publish", "--publish-url", f"{self._task.url}/", *map(str, self.files)], credentials(
            "UV_PUBLISH", password
        )


class Poetry(Publisher):
    """poetry's `publish`, of what is in `dist`."""

    def _call(self, password: str) -> tuple[list[str], Mapping[str, str]]:
        url = {"POETRY_REPOSITORIES_INTERNAL_URL": f"{self._task.url}/"}
        login = credentials("POETRY_HTTP_BASIC_INTERNAL", password)
        return ["publish", "--no-interaction", "--repository", "internal"], {**url, **login}


class OlderPoetry(Poetry):
    """poetry before 2."""

    def build(self, project: str, content: bytes = b"") -> None:
        super().build(project, content)
        (self._account.work / "pyproject.toml").write_text(_LEGACY_POETRY.format(name=project))


class Pdm(Publisher):
    """pdm's `publish`, of what is in `dist`."""

    def _call(self, password: str) -> tuple[list[str], Mapping[str, str]]:
        variables = {"PDM_PUBLISH_REPO": f"{self._task.url}/", **credentials("PDM_PUBLISH", password)}
        return ["publish", "--no-build"], variables


class Hatch(Publisher):
    """hatch's `publish`."""

    skip_existing = None

    def _call(self, password: str) -> tuple[list[str], Mapping[str, str]]:
        login = {"HATCH_INDEX_USER": USERNAME, "HATCH_INDEX_AUTH": password}
        return ["publish", "--no-prompt", "--repo", f"{self._task.url}/", *map(str, self.files)], login


class Flit(Publisher):
    """flit's `publish`, which builds what it publishes."""

    skip_existing = None

    def build(self, project: str, content: bytes = b"") -> None:
        page = _PROJECT.format(name=project, description=content.decode() or "any")
        (self._account.work / "pyproject.toml").write_text(page)
        (self._account.work / f"{project.replace('-', '_')}.py").write_text("")

    def _call(self, password: str) -> tuple[list[str], Mapping[str, str]]:
        return ["publish", "--no-use-vcs"], {"FLIT_INDEX_URL": f"{self._task.url}/", **credentials("FLIT", password)}


PUBLISHERS: dict[str, tuple[type[Publisher], type[Publisher]]] = {
    "twine": (Twine, Twine),
    "uv": (Uv, Uv),
    "poetry": (OlderPoetry, Poetry),
    "pdm": (Pdm, Pdm),
    "hatch": (Hatch, Hatch),
    "flit": (Flit, Flit),
}
"""By name of the client: an older one, and the current one."""
