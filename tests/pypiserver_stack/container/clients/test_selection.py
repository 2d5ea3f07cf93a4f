"""What pip and uv do not choose, and what pip says of it; the matrix of clients tries the rest."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

from tests.pypiserver_stack.container.clients.real_clients import PackageClient, simple_url
from tests.pypiserver_stack.container.running_task import RunningTask
from tests.pypiserver_stack.container.small_packages import make_sdist, make_wheel

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_no_source_distribution_is_taken_that_this_python_cannot_build(
    task: RunningTask, client: PackageClient, tmp_path: Path
) -> None:
    client.publish(
        task, make_wheel(tmp_path, "demo", "1.0"), make_sdist(tmp_path, "demo", "2.0", requires_python=">=4")
    )
    copied = make_sdist(tmp_path, "demo", "3.0", requires_python=">=4")
    copied.rename(task.packages / copied.name)

    index = ["--index-url", simple_url(task)]
    client.run("pip", "download", "--dest", "got", "demo", *index)
    assert [path.name for path in (client.work / "got").iterdir()] == ["demo-1.0-py3-none-any.whl"]
    client.run("uv", "pip", "install", "--target", "installed", "demo", *index)
    assert (client.work / "installed" / "demo.py").read_text() == "version = '1.0'\n"


def test_pip_says_why_a_pinned_release_was_yanked(task: RunningTask, client: PackageClient, tmp_path: Path) -> None:
    client.publish(task, make_wheel(tmp_path, "demo", "1.0"))
    call = {":action": "yank", "name": "Demo", "version": "1", "reason": "it deletes <everything>"}
    assert task.request("POST", "/", urlencode(call).encode(), FORM)[0] == 200
    assert "it deletes <everything>" in client.run("pip", "download", "demo==1.0", "--index-url", simple_url(task))
