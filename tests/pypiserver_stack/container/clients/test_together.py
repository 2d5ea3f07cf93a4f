"""Real clients on two tasks over one directory: an upload counts everywhere at once, and fifty of them get theirs."""

from __future__ import annotations

import os
import signal
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.pypiserver_stack.container.clients.real_clients import (
    PackageClient,
    asked,
    simple_url,
    start_index,
    succeeded,
)
from tests.pypiserver_stack.container.running_task import RunningTask
from tests.pypiserver_stack.container.small_packages import make_wheel

PIP = ("pip", "download", "--dest", "got")
UV = ("uv", "pip", "install", "--target", "got")
# Two cores have to run all of them: pip takes most of a second of one just to start, uv a tenth.
INSTALLERS = [PIP] * 5 + [UV] * 45
UPLOADS = 10


@pytest.fixture
def tasks(tmp_path: Path) -> Iterator[list[RunningTask]]:
    with ExitStack() as running:
        yield [
            running.enter_context(start_index(tmp_path / f"task-{number}", packages=tmp_path / "packages"))
            for number in range(2)
        ]


def test_what_was_uploaded_through_one_task_is_installed_through_the_other(
    tasks: list[RunningTask], tmp_path: Path
) -> None:
    client = PackageClient(tmp_path / "home")
    for number in range(10):
        one, other = tasks if number % 2 else tasks[::-1]
        wheel = make_wheel(tmp_path, "demo", f"{number}.0")
        client.publish(one, wheel)
        client.run("uv", "pip", "install", "--target", f"got-{number}", "demo", "--index-url", simple_url(other))
        assert (client.work / f"got-{number}" / "demo.py").read_text() == f"version = '{number}.0'\n"


def test_fifty_at_once_while_others_upload(tasks: list[RunningTask], tmp_path: Path) -> None:
    built = tmp_path / "built"
    demos = [make_wheel(built, f"demo-{n}", "1.0", requires=["base"], padding=os.urandom(300_000)) for n in range(10)]
    bases = [make_wheel(built, "base", f"1.{n}", padding=os.urandom(300_000)) for n in range(1 + UPLOADS)]
    publisher = PackageClient(tmp_path / "publisher")
    publisher.publish(tasks[0], *demos, bases[0])
    clients = [PackageClient(tmp_path / f"client-{number}") for number in range(len(INSTALLERS))]

    with ExitStack() as cleanup:
        processes = []
        for number, (client, installer) in enumerate(zip(clients, INSTALLERS, strict=True)):
            index = ["--index-url", simple_url(tasks[number % 2])]
            processes.append(client.start(*installer, f"demo-{number % 10}", *index))
            cleanup.callback(processes[-1].kill)
            processes[-1].send_signal(signal.SIGSTOP)
        for process in processes:
            process.send_signal(signal.SIGCONT)
        for number, wheel in enumerate(bases[1:]):
            publisher.publish(tasks[number % 2], wheel)
        for process in processes:
            succeeded(process)

    for number, (client, installer) in enumerate(zip(clients, INSTALLERS, strict=True)):
        got = client.work / "got"
        wheels = _downloaded(got, built) if installer == PIP else _installed(got, built)
        # Of those that were uploaded meanwhile, some version has come; with it exactly one of the others.
        assert sorted(wheel.name.partition("-")[0] for wheel in wheels) == ["base", f"demo_{number % 10}"]
    for task in tasks:
        # Whoever sees a package a moment before its metadata is kept reads a part of it instead.
        assert {request.status for tool in ("pip", "uv") for request in asked(task, tool)} <= {200, 206}


def _downloaded(folder: Path, built: Path) -> list[Path]:
    """The wheels that lie in a folder, each of which is what was built, to the last byte."""
    wheels = [built / path.name for path in folder.iterdir()]
    assert all((folder / wheel.name).read_bytes() == wheel.read_bytes() for wheel in wheels)
    return wheels


def _installed(folder: Path, built: Path) -> list[Path]:
    """The wheels that were installed into a folder, each of which with all that was in it."""
    wheels = [built / f"{path.stem}-py3-none-any.whl" for path in folder.glob("*.dist-info")]
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            # An installer adds to the list of files.
            names = [name for name in archive.namelist() if not name.endswith("/RECORD")]
            assert all((folder / name).read_bytes() == archive.read(name) for name in names)
    return wheels
