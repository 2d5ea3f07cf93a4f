"""What pip, uv and poetry ask for, by the access log: metadata instead of wheels, parts of files, nothing twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Literal

import pytest

from tests.pypiserver_stack.container.clients.real_clients import (
    PackageClient,
    asked,
    credentials,
    locked_versions,
    simple_url,
    start_index,
)
from tests.pypiserver_stack.container.running_task import RunningTask, await_condition
from tests.pypiserver_stack.container.small_packages import make_wheel

DEMO, BASE, NEWER_BASE = (f"{stem}-py3-none-any.whl" for stem in ("demo-1.0", "demo_base-1.0", "demo_base-1.1"))
LISTINGS = [("/simple/demo/", 200), ("/simple/demo-base/", 200)]
METADATA = [(f"{DEMO}.metadata", 200), (f"{BASE}.metadata", 200)]
LARGE_BYTES = 3_000_000


def offers_metadata(task: RunningTask, project: str) -> bool:
    return b"data-core-metadata" in task.request("GET", f"/simple/{project}/")[2]


def _got(task: RunningTask, tool: str) -> list[tuple[str, int]]:
    """Path and status of each request; a package's name alone, wherever it lies."""
    got = [(request.path, request.status) for request in asked(task, tool) if request.method != "POST"]
    return sorted((PurePosixPath(path).name if path.startswith("/packages/") else path, status) for path, status in got)


def _pip_resolves(client: PackageClient, task: RunningTask) -> dict[str, str]:
    """With the feature that reads parts of wheels; without metadata pip takes the whole file otherwise."""
    options = ["--dry-run", "--ignore-installed", "--use-feature=fast-deps", "--report", "report.json"]
    client.run("pip", "install", *options, "demo", "--index-url", simple_url(task))
    report = json.loads((client.work / "report.json").read_text())
    return {item["metadata"]["name"]: item["metadata"]["version"] for item in report["install"]}


def _uv_resolves(client: PackageClient, task: RunningTask) -> dict[str, str]:
    (client.work / "demo.in").write_text("demo\n")
    printed = client.run("uv", "pip", "compile", "-q", "--no-annotate", "demo.in", "--index-url", simple_url(task))
    return dict(line.split("==") for line in printed.splitlines() if "==" in line)


def _poetry_resolves(client: PackageClient, task: RunningTask) -> dict[str, str]:
    client.write_project(task, "demo")
    client.lock_with_poetry("--regenerate", **credentials("POETRY_HTTP_BASIC_INTERNAL"))
    return locked_versions(client)


RESOLVERS: dict[str, Callable[[PackageClient, RunningTask], dict[str, str]]] = {
    "pip": _pip_resolves,
    "uv": _uv_resolves,
    "poetry": _poetry_resolves,
}


@pytest.mark.parametrize("listings", ["json", "html"])
def test_nobody_downloads_a_wheel_to_learn_what_it_needs(
    client: PackageClient, tmp_path: Path, listings: Literal["json", "html"]
) -> None:
    demo = make_wheel(tmp_path, "demo", "1.0", requires=["demo-base"])
    with start_index(tmp_path / "task", listings=listings) as task:
        client.publish(task, demo, make_wheel(tmp_path, "demo-base", "1.0"))
        for resolve in RESOLVERS.values():
            assert resolve(client, task) == {"demo": "1.0", "demo-base": "1.0"}
        for tool in RESOLVERS:
            assert _got(task, tool) == sorted(LISTINGS + METADATA)


def test_nobody_downloads_a_wheel_that_was_copied_in_to_learn_what_it_needs(
    task: RunningTask, client: PackageClient, tmp_path: Path
) -> None:
    for wheel in (
        make_wheel(tmp_path, "demo", "1.0", requires=["demo-base"]),
        make_wheel(tmp_path, "demo-base", "1.0"),
    ):
        wheel.rename(task.packages / wheel.name)
    for project in ("demo", "demo-base"):  # a moment after it was copied
        await_condition(partial(offers_metadata, task, project))
    for resolve in RESOLVERS.values():
        assert resolve(client, task) == {"demo": "1.0", "demo-base": "1.0"}
    for tool in RESOLVERS:
        assert _got(task, tool) == sorted(LISTINGS + METADATA)


def test_of_a_wheel_that_is_just_being_copied_in_a_small_part_is_enough(client: PackageClient, tmp_path: Path) -> None:
    demo = make_wheel(tmp_path, "demo", "1.0", requires=["demo-base"], padding=bytes(LARGE_BYTES))
    with start_index(tmp_path / "task", PYPISERVER_INDEX_MARGIN_S="3600") as task:
        client.publish(task, make_wheel(tmp_path, "demo-base", "1.0"))
        demo.rename(task.packages / demo.name)
        for resolve in RESOLVERS.values():
            assert resolve(client, task) == {"demo": "1.0", "demo-base": "1.0"}
    for tool in RESOLVERS:
        of_demo = [request for request in asked(task, tool) if DEMO in request.path]
        assert {request.status for request in of_demo if request.method == "GET"} == {206}
        assert sum(request.response_bytes for request in of_demo) < LARGE_BYTES / 20


def test_a_version_for_another_python_is_passed_over(task: RunningTask, client: PackageClient, tmp_path: Path) -> None:
    client.publish(
        task, make_wheel(tmp_path, "demo", "1.0"), make_wheel(tmp_path, "demo", "2.0", requires_python=">=4")
    )
    assert [resolve(client, task) for resolve in RESOLVERS.values()] == [{"demo": "1.0"}] * 3


@pytest.mark.parametrize(
    ("tool", "install"),
    [
        ("pip", ["install", "--trusted-host", "127.0.0.1"]),  # or pip keeps nothing that came over plain http
        ("uv", ["pip", "install"]),
    ],
    ids=["pip", "uv"],
)
def test_what_is_known_is_asked_for_once_and_what_is_new_is_seen(
    task: RunningTask, client: PackageClient, tmp_path: Path, tool: str, install: list[str]
) -> None:
    index = ["--index-url", simple_url(task)]
    demo = make_wheel(tmp_path, "demo", "1.0", requires=["demo-base"])
    client.publish(task, demo, make_wheel(tmp_path, "demo-base", "1.0"))
    client.run(tool, *install, "--target", "first", "demo", *index)
    client.run(tool, *install, "--target", "second", "demo", *index)
    client.publish(task, make_wheel(tmp_path, "demo-base", "1.1"))
    client.run(tool, *install, "--target", "third", "demo", *index)

    versions = [(client.work / target / "demo_base.py").read_text() for target in ("first", "second", "third")]
    assert versions == ["version = '1.0'\n"] * 2 + ["version = '1.1'\n"]
    first = [*LISTINGS, *METADATA, (DEMO, 200), (BASE, 200)]
    second = [("/simple/demo/", 304), ("/simple/demo-base/", 304)]
    third = [("/simple/demo/", 304), ("/simple/demo-base/", 200), (f"{NEWER_BASE}.metadata", 200), (NEWER_BASE, 200)]
    assert _got(task, tool) == sorted(first + second + third)
