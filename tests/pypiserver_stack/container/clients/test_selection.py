"""What pip, uv and poetry choose: what runs on their Python, what is not too new, and what was not yanked."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.pypiserver_stack.container.clients.real_clients import (
    PackageClient,
    asked,
    credentials,
    locked_versions,
    simple_url,
)
from tests.pypiserver_stack.container.running_task import RunningTask
from tests.pypiserver_stack.container.small_packages import make_sdist, make_wheel

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BETWEEN = "2021-01-01T00:00:00Z"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def pip_downloads(client: PackageClient, task: RunningTask, *arguments: str) -> set[str]:
    """The files that pip takes for `demo`."""
    client.run(
        "pip", "download", "--dest", "got", "--no-deps", "--index-url", simple_url(task), *(arguments or ["demo"])
    )
    return {path.name for path in (client.work / "got").iterdir()}


def uv_resolves(client: PackageClient, task: RunningTask, *arguments: str, requirement: str = "demo") -> str:
    """The version that uv takes."""
    (client.work / "demo.in").write_text(f"{requirement}\n")
    compile_ = ["pip", "compile", "-q", "--no-annotate", "--no-header", "--upgrade", "demo.in"]
    return client.run("uv", *compile_, "--index-url", simple_url(task), *arguments).strip()


def poetry_locks(client: PackageClient, task: RunningTask, requirement: str = "demo", **environment: str) -> str:
    client.write_project(task, requirement)
    named = {**credentials("POETRY_HTTP_BASIC_INTERNAL"), **environment}
    client.run("poetry", "--no-interaction", "lock", "--regenerate", **named)
    return locked_versions(client)["demo"]


@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_versions_for_a_newer_python_cost_no_request(
    task: RunningTask, client: PackageClient, tmp_path: Path, tool: str
) -> None:
    wheels = [make_wheel(tmp_path, "demo", f"2.{number}", requires_python=">=4") for number in range(29)]
    client.publish(task, make_wheel(tmp_path, "demo", "1.0"), *wheels)

    if tool == "pip":
        client.run("pip", "install", "--dry-run", "--ignore-installed", "demo", "--index-url", simple_url(task))
    else:
        assert uv_resolves(client, task) == "demo==1.0"

    metadata = "/packages/demo-1.0-py3-none-any.whl.metadata"
    asked_paths = [request.path for request in asked(task, tool) if request.method == "GET"]
    assert asked_paths == ["/simple/demo/", metadata]


def test_no_source_distribution_is_taken_that_this_python_cannot_build(
    task: RunningTask, client: PackageClient, tmp_path: Path
) -> None:
    client.publish(
        task, make_wheel(tmp_path, "demo", "1.0"), make_sdist(tmp_path, "demo", "2.0", requires_python=">=4")
    )
    copied = make_sdist(tmp_path, "demo", "3.0", requires_python=">=4")
    copied.rename(task.packages / copied.name)

    assert pip_downloads(client, task) == {"demo-1.0-py3-none-any.whl"}
    assert uv_resolves(client, task) == "demo==1.0"


def test_what_is_too_new_is_passed_over(task: RunningTask, client: PackageClient, tmp_path: Path) -> None:
    old = make_wheel(tmp_path, "demo", "1.0")
    os.utime(old, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    old.rename(task.packages / old.name)
    client.publish(task, make_wheel(tmp_path, "demo", "2.0"))

    assert uv_resolves(client, task) == "demo==2.0"
    assert uv_resolves(client, task, "--exclude-newer", BETWEEN) == "demo==1.0"
    assert pip_downloads(client, task, f"--uploaded-prior-to={BETWEEN}", "demo") == {"demo-1.0-py3-none-any.whl"}
    assert poetry_locks(client, task) == "2.0"
    assert poetry_locks(client, task, POETRY_SOLVER_MIN_RELEASE_AGE="7") == "1.0"


def test_what_was_yanked_is_taken_where_it_is_pinned_alone(
    task: RunningTask, client: PackageClient, tmp_path: Path
) -> None:
    client.publish(task, make_wheel(tmp_path, "demo", "1.0"), make_wheel(tmp_path, "demo", "2.0"))
    call = {":action": "yank", "name": "Demo", "version": "2", "reason": "it deletes <everything>"}
    assert task.request("POST", "/", urlencode(call).encode(), FORM)[0] == 200

    assert uv_resolves(client, task) == "demo==1.0"
    assert poetry_locks(client, task) == "1.0"
    assert pip_downloads(client, task) == {"demo-1.0-py3-none-any.whl"}

    assert uv_resolves(client, task, requirement="demo==2.0") == "demo==2.0"
    assert poetry_locks(client, task, "demo==2.0") == "2.0"
    printed = client.run(
        "pip", "download", "--dest", "pinned", "--no-deps", "demo==2.0", "--index-url", simple_url(task)
    )
    assert "it deletes <everything>" in printed

    call[":action"] = "unyank"
    assert task.request("POST", "/", urlencode(call).encode(), FORM)[0] == 200
    assert uv_resolves(client, task) == "demo==2.0"
