"""The ways in which pip, uv and poetry carry credentials, and what they say when these are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.pypiserver_stack.container.clients.real_clients import (
    WITHOUT_VIRTUALENV,
    PackageClient,
    credentials,
    simple_url,
    start_index,
)
from tests.pypiserver_stack.container.running_task import (
    OLDER_PASSWORD,
    PASSWORD,
    USERNAME,
    RunningTask,
)
from tests.pypiserver_stack.container.small_packages import make_wheel

Way = Callable[[PackageClient, RunningTask, str], None]


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    folder = tmp_path_factory.mktemp("credentials")
    with start_index(folder / "task") as task:
        PackageClient(folder / "publisher").publish(task, make_wheel(folder, "demo", "1.0"))
        yield task


def _pip_by_url(client: PackageClient, task: RunningTask, password: str) -> None:
    client.run("pip", "download", "demo", "--index-url", simple_url(task, password))


def _pip_by_environment(client: PackageClient, task: RunningTask, password: str) -> None:
    client.run("pip", "download", "demo", PIP_INDEX_URL=simple_url(task, password))


def _pip_by_configuration(client: PackageClient, task: RunningTask, password: str) -> None:
    client.run("pip", "config", "set", "global.index-url", simple_url(task, password))
    client.run("pip", "download", "demo")


def _pip_by_netrc(client: PackageClient, task: RunningTask, password: str) -> None:
    client.write_netrc(password)
    client.run("pip", "download", "demo", "--index-url", simple_url(task, None))


def _uv_by_url(client: PackageClient, task: RunningTask, password: str) -> None:
    client.run("uv", "pip", "install", "--target", "got", "demo", "--default-index", simple_url(task, password))


def _uv_by_environment(client: PackageClient, task: RunningTask, password: str) -> None:
    named = f"internal={simple_url(task, None)}"
    login = credentials("UV_INDEX_INTERNAL", password)
    client.run("uv", "pip", "install", "--target", "got", "demo", UV_DEFAULT_INDEX=named, **login)


def _uv_by_netrc(client: PackageClient, task: RunningTask, password: str) -> None:
    client.write_netrc(password)
    client.run("uv", "pip", "install", "--target", "got", "demo", "--default-index", simple_url(task, None))


def _uv_by_login(client: PackageClient, task: RunningTask, password: str) -> None:
    client.run("uv", "auth", "login", simple_url(task, None), "--username", USERNAME, "--password", password)
    client.run("uv", "pip", "install", "--target", "got", "demo", "--default-index", simple_url(task, None))


def _poetry_by_environment(client: PackageClient, task: RunningTask, password: str) -> None:
    client.write_project(task, "demo")
    client.lock_with_poetry(**credentials("POETRY_HTTP_BASIC_INTERNAL", password))


def _poetry_by_configuration(client: PackageClient, task: RunningTask, password: str) -> None:
    client.write_project(task, "demo")
    client.run("poetry", "--no-interaction", "config", "http-basic.internal", USERNAME, password)
    client.lock_with_poetry()


WAYS = [
    _pip_by_url,
    _pip_by_environment,
    _pip_by_configuration,
    _pip_by_netrc,
    _uv_by_url,
    _uv_by_environment,
    _uv_by_netrc,
    _uv_by_login,
    _poetry_by_environment,
    _poetry_by_configuration,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.strip("_"))
def test_every_way_gets_in(task: RunningTask, client: PackageClient, way: Way) -> None:
    way(client, task, PASSWORD)


@pytest.mark.parametrize("way", [_pip_by_url, _uv_by_url, _poetry_by_environment], ids=["pip", "uv", "poetry"])
def test_the_password_before_a_rotation_still_counts(task: RunningTask, client: PackageClient, way: Way) -> None:
    way(client, task, OLDER_PASSWORD)


def test_pip_says_who_is_to_blame(task: RunningTask, client: PackageClient) -> None:
    output = client.fail("pip", "download", "demo", "--index-url", simple_url(task, "wrong"))
    assert "401 Error, Credentials not correct" in output


def test_pip_asks_for_the_password(task: RunningTask, client: PackageClient) -> None:
    assert "User for 127.0.0.1" in client.fail("pip", "download", "demo", "--index-url", simple_url(task, None))


@pytest.mark.parametrize("password", ["wrong", None])
def test_uv_says_who_is_to_blame(task: RunningTask, client: PackageClient, password: str | None) -> None:
    index = ["--default-index", simple_url(task, password)]
    assert "401 Unauthorized" in client.fail("uv", "pip", "install", "--target", "got", "demo", *index)


@pytest.mark.parametrize("password", ["wrong", None])
def test_poetry_says_who_is_to_blame(task: RunningTask, client: PackageClient, password: str | None) -> None:
    client.write_project(task, "demo")
    login = credentials("POETRY_HTTP_BASIC_INTERNAL", password) if password else {}
    printed = client.fail("poetry", "--no-interaction", "lock", **WITHOUT_VIRTUALENV, **login)
    assert "Authorization error" in printed
