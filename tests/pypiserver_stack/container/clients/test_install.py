"""pip, uv and poetry install from a running index, whichever form of listing they understand."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

import pytest

from tests.pypiserver_stack.container.clients.real_clients import (
    PackageClient,
    credentials,
    modules,
    simple_url,
    start_index,
)
from tests.pypiserver_stack.container.running_task import RunningTask
from tests.pypiserver_stack.container.small_packages import make_backend, make_sdist, make_wheel

INSTALLED = {"demo.py": "version = '2.0'\n", "demo_base.py": "version = '1.5'\n"}


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    """`demo` needs `demo-base`, of which the newest version will not do."""
    folder = tmp_path_factory.mktemp("install")
    built = folder / "built"
    with start_index(folder / "task") as task:
        PackageClient(folder / "publisher").publish(
            task,
            make_wheel(built, "demo", "1.0", requires=["demo-base"]),
            make_wheel(built, "demo", "2.0", requires=["demo_base<2"]),
            *(make_wheel(built, "demo-base", version) for version in ("1.0", "1.5", "2.0")),
            make_sdist(built, "from-source", "1.0"),
            make_backend(built),
        )
        yield task


@pytest.fixture(scope="module")
def html_task(task: RunningTask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    with start_index(tmp_path_factory.mktemp("html"), packages=task.packages, listings="html") as html_task:
        yield html_task


@pytest.fixture(params=["json", "html"])
def listing(request: pytest.FixtureRequest, task: RunningTask) -> RunningTask:
    """The same index, listing in one of the two forms."""
    chosen: RunningTask = request.getfixturevalue("html_task") if request.param == "html" else task
    return chosen


def test_pip_installs(listing: RunningTask, client: PackageClient) -> None:
    client.run("pip", "install", "--target", "got", "demo", "--index-url", simple_url(listing))
    assert modules(client.work / "got") == INSTALLED


def test_uv_installs(listing: RunningTask, client: PackageClient) -> None:
    client.run("uv", "pip", "install", "--target", "got", "demo", "--index-url", simple_url(listing))
    assert modules(client.work / "got") == INSTALLED


def test_pip_downloads_what_lies_there(listing: RunningTask, client: PackageClient) -> None:
    client.run("pip", "download", "--dest", "got", "demo", "--index-url", simple_url(listing))
    got = {path.name: path.read_bytes() for path in (client.work / "got").iterdir()}
    names = ("demo-2.0-py3-none-any.whl", "demo_base-1.5-py3-none-any.whl")
    assert got == {name: listing.stored(name).read_bytes() for name in names}


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_hashes_are_held_against_what_arrives(task: RunningTask, client: PackageClient, tool: str) -> None:
    (client.work / "demo.in").write_text("demo\n")
    index = ["--index-url", simple_url(task)]
    client.run("uv", "pip", "compile", "demo.in", "--generate-hashes", "-o", "good.txt", *index)
    hashed = (client.work / "good.txt").read_text()
    digest = hashlib.sha256(task.stored("demo_base-1.5-py3-none-any.whl").read_bytes()).hexdigest()
    assert f"--hash=sha256:{digest}" in hashed
    (client.work / "bad.txt").write_text(hashed.replace(digest, digest[::-1]))
    install = [*(["pip"] if tool == "uv" else []), "install", "--require-hashes", *index]
    client.run(tool, *install, "--target", "got", "-r", "good.txt")
    assert modules(client.work / "got") == INSTALLED
    assert digest in client.fail(tool, *install, "--no-cache-dir", "--target", "other", "-r", "bad.txt")


def test_uv_locks_and_syncs_a_project(listing: RunningTask, client: PackageClient) -> None:
    client.write_project(listing, "demo")
    login = credentials("UV_INDEX_INTERNAL")
    client.run("uv", "lock", **login)
    client.run("uv", "sync", "--locked", **login)
    assert INSTALLED.items() <= client.installed().items()


def test_poetry_locks_and_installs_a_project(listing: RunningTask, client: PackageClient) -> None:
    client.write_project(listing, "demo")
    login = credentials("POETRY_HTTP_BASIC_INTERNAL")
    client.run("poetry", "--no-interaction", "lock", **login)
    client.run("poetry", "--no-interaction", "install", **login)
    assert INSTALLED.items() <= client.installed().items()


def test_poetry_adds_a_dependency(task: RunningTask, client: PackageClient) -> None:
    client.write_project(task)
    client.run("poetry", "--no-interaction", "add", "demo-base<2", **credentials("POETRY_HTTP_BASIC_INTERNAL"))
    digest = hashlib.sha256(task.stored("demo_base-1.5-py3-none-any.whl").read_bytes()).hexdigest()
    assert f"sha256:{digest}" in (client.work / "poetry.lock").read_text()


def test_uv_installs_from_a_project_that_has_a_file_whose_name_is_no_text(
    task: RunningTask, client: PackageClient
) -> None:
    (task.packages / os.fsdecode(b"demo-0.1+caf\xe9.tar.gz")).write_bytes(b"any")
    client.run("uv", "pip", "install", "--target", "got", "demo", "--index-url", simple_url(task))
    assert modules(client.work / "got") == INSTALLED


@pytest.mark.parametrize("command", [["pip", "install"], ["uv", "pip", "install"]], ids=["pip", "uv"])
def test_a_source_distribution_is_built_with_what_the_index_has(
    task: RunningTask, client: PackageClient, command: list[str]
) -> None:
    client.run(*command, "--target", "got", "from-source", "--index-url", simple_url(task))
    assert modules(client.work / "got") == {"from_source.py": "version = '1.0'\n"}
