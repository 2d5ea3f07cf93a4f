"""Jobs with the credential of one role: what pip, twine and uv do with it, and what they print when refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.pypiserver_stack.container.clients.real_clients import PackageClient, start_index
from tests.pypiserver_stack.container.running_task import PASSWORD, RunningTask
from tests.pypiserver_stack.container.small_packages import make_wheel

NEEDS_UPLOAD = "This needs the role upload at least, and your user has the role read."


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    with start_index(tmp_path_factory.mktemp("roles")) as task:
        yield task


def publishing(publisher: str, user: str, task: RunningTask, wheel: Path) -> tuple[list[str | Path], dict[str, str]]:
    """Arguments and variables of a tool that publishes."""
    if publisher == "twine":
        arguments: list[str | Path] = ["upload", "--verbose", "--repository-url", f"{task.url}/", wheel]
        return arguments, {"TWINE_USERNAME": user, "TWINE_PASSWORD": PASSWORD}
    login = {"UV_PUBLISH_USERNAME": user, "UV_PUBLISH_PASSWORD": PASSWORD}
    return ["publish", "--publish-url", f"{task.url}/", wheel], login


@pytest.mark.parametrize("publisher", ["twine", "uv"])
def test_a_job_that_publishes_and_one_that_installs(task: RunningTask, client: PackageClient, publisher: str) -> None:
    wheel = make_wheel(client.work / "dist", f"by-{publisher}", "1.0")
    arguments, login = publishing(publisher, "reader", task, wheel)
    printed = client.fail(publisher, *arguments, **login)
    assert "403" in printed
    assert NEEDS_UPLOAD in " ".join(printed.split())
    assert not (task.packages / wheel.name).exists()

    arguments, login = publishing(publisher, "uploader", task, wheel)
    client.run(publisher, *arguments, **login)
    for user in ("reader", "uploader"):
        index = f"http://{user}:{quote(PASSWORD)}@127.0.0.1:{task.port}/simple/"
        client.run("pip", "install", "--no-deps", "--target", user, f"by-{publisher}", "--index-url", index)
        assert (client.work / user / f"by_{publisher}.py").exists()
