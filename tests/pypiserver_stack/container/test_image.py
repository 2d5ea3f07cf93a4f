"""What runs here is what the task's image carries, and what that runs is what its Python knows."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import requires, version
from pathlib import Path

import pytest

from bench.deployment.local_processes.task_definition import CARRIED, IMAGE
from pypiserver_stack.settings import Settings
from pypiserver_stack.tasks.container_definition import IMAGE_GUNICORN_CONFIG
from pypiserver_stack.tasks.server_files import CONTAINER_FOLDER

OWN = "pypiserver_stack.container"
FILES = [*sorted(CONTAINER_FOLDER.rglob("*.py")), IMAGE_GUNICORN_CONFIG]


def test_the_versions_are_those_of_the_image_that_is_deployed() -> None:
    """Who deploys another one reads them from it."""
    assert Settings.model_fields["image"].default.partition("@")[0] == IMAGE


@pytest.mark.parametrize("package", [name for name in CARRIED if name != "python"])
def test_what_serves_here_has_the_versions_of_the_image(package: str) -> None:
    assert version(package) == CARRIED[package]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_the_image_s_python_can_parse_the_files_of_the_task(file: Path) -> None:
    major, minor = map(int, CARRIED["python"].split("."))
    ast.parse(file.read_text(), file.name, feature_version=(major, minor))


def test_the_files_of_the_task_import_nothing_that_the_image_does_not_carry() -> None:
    of_pypiserver = ("packaging", "defusedxml")
    for package in of_pypiserver:
        assert any(requirement.startswith(f"{package}>=") for requirement in requires("pypiserver") or ())
    carried = {*CARRIED, *of_pypiserver}
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            others = {name.partition(".")[0] for name in names if not name.startswith(f"{OWN}.")}
            assert others <= {*sys.stdlib_module_names, *carried}, file


def test_the_files_of_the_task_use_nothing_that_the_image_s_python_has_not() -> None:
    """By the stubs of the standard library, which say since when there is a name."""
    options = ["--no-site-packages", "--ignore-missing-imports", f"--python-version={CARRIED['python']}"]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", *options, "-p", OWN],
        cwd=CONTAINER_FOLDER.parents[1],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
