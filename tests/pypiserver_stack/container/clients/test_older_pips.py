"""The pips that Debian 12 and Python 3.8 to 3.10 come with install wheels that were uploaded through the index."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pypiserver_stack.container.clients.real_clients import PackageClient, simple_url, start_index
from tests.pypiserver_stack.container.running_task import RunningTask
from tests.pypiserver_stack.container.small_packages import make_wheel
from tests.registry import install

# Version and SHA-256 of its wheel. They crash on JSON listings with "dist-info-metadata".
PIPS = {
    "22.3": "1daab4b8d3b97d1d763caeb01a4640a2250a0ea899e257b1e44b9eded91e15ab",
    "23.0.1": "236bcb61156d76c4b8a05821b988c7b8c35bf0da28a4b614e8d6ab5212c25c6f",
    "23.1.2": "3ef6ac33239e4027d9a5598a381b9d30880a1477e50039db2eac6e8a8f6d1b18",
}
NOT_ON_PYTHON_3_12 = {"22.3", "23.0.1"}


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTask]:
    folder = tmp_path_factory.mktemp("older-pips")
    wheels = [
        make_wheel(folder / "built", "demo", "1.0", requires=["demo-base"]),
        make_wheel(folder / "built", "demo-base", "1.0"),
    ]
    with start_index(folder / "task") as task:
        PackageClient(folder / "publisher").publish(task, *wheels)
        yield task


@pytest.mark.parametrize("version", PIPS)
def test_an_older_pip_downloads_a_wheel_and_what_it_needs(task: RunningTask, tmp_path: Path, version: str) -> None:
    if version in NOT_ON_PYTHON_3_12 and sys.version_info >= (3, 12):
        pytest.skip("this pip imports pkgutil.ImpImporter, which Python 3.12 has not")
    pip = tmp_path / "pip"
    wanted = tmp_path / "wanted.txt"
    wanted.write_text(f"pip=={version} --hash=sha256:{PIPS[version]}\n")
    install("install", "--require-hashes", "--python", sys.executable, "--target", pip, "--requirement", wanted)
    client = PackageClient(tmp_path / "home")

    download = ["-m", "pip", "download", "--dest", "got", "demo", "--index-url", simple_url(task)]
    client.run(sys.executable, *download, PYTHONPATH=str(pip))

    names = ("demo-1.0-py3-none-any.whl", "demo_base-1.0-py3-none-any.whl")
    got = {path.name: path.read_bytes() for path in (client.work / "got").iterdir()}
    assert got == {name: (task.packages / name).read_bytes() for name in names}
