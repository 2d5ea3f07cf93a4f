"""What runs here is what the task's image carries, and what that runs is what its Python knows."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path

import pytest

from bench.deployment.local_processes.versions import CARRIED, IMAGE
from pypiserver_stack.settings import Settings
from tests.pypiserver_stack.container.running_task import CONTAINER

FILES = sorted(CONTAINER.glob("*.py"))


def test_the_versions_are_those_of_the_image_that_is_deployed() -> None:
    """Who deploys another one reads them from it."""
    assert Settings.model_fields["image"].default == IMAGE


@pytest.mark.parametrize("package", [name for name in CARRIED if name != "python"])
def test_what_serves_here_has_the_versions_of_the_image(package: str) -> None:
    assert version(package) == CARRIED[package]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_image_s_python_can_parse_the_files_of_the_task(file: Path) -> None:
    major, minor = map(int, CARRIED["python"].split("."))
    ast.parse(file.read_text(), file.name, feature_version=(major, minor))


def test_the_files_of_the_task_import_nothing_that_the_image_does_not_carry() -> None:
    # pypiserver itself requires the last.
    assert any(requirement.startswith("packaging>=") for requirement in requires("pypiserver") or ())
    carried = {*CARRIED, "packaging"}
    own = {file.stem for file in FILES}
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            imported = {name.partition(".")[0] for name in names}
            assert imported <= {*sys.stdlib_module_names, *carried, *own}, file.name


def test_the_files_of_the_task_use_nothing_that_the_image_s_python_has_not(tmp_path: Path) -> None:
    """By the stubs of the standard library, which say since when there is a name."""
    for file in FILES:
        if file.stem != "__init__":  # in the task they are no package
            shutil.copy(file, tmp_path / f"{file.stem.replace('.', '_')}.py")
    options = ["--no-site-packages", "--ignore-missing-imports", f"--python-version={CARRIED['python']}"]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", *options, "."], cwd=tmp_path, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
