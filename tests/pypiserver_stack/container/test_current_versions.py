"""The task under current gunicorn and gevent, as an image of one's own may carry them, and Python 3.12 where it is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.registry import install

ROOT = Path(__file__).parents[3]
ENVIRONMENT = ROOT / ".tools" / "current-server"
PINS = Path(__file__).with_name("current_server.txt")
# What starts tasks. The clients' tests are about clients.
FOLDERS = ("access", "entry", "files", "http", "index", "pypiserver_hooks")


@pytest.mark.thorough
@pytest.mark.timeout(1800)
def test_the_tests_of_the_task_pass_under_current_versions() -> None:
    gunicorn = _installed() / "bin" / "gunicorn"
    tests = [str(Path(__file__).parent / folder) for folder in FOLDERS]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", *tests],
        cwd=ROOT,
        env={**os.environ, "TASK_GUNICORN": str(gunicorn)},
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout[-20_000:]


def _installed() -> Path:
    if not (ENVIRONMENT / "bin" / "gunicorn").exists() or _stamp().read_bytes() != PINS.read_bytes():
        subprocess.run([sys.executable, "-m", "uv", "venv", "-q", "--clear", "-p", _python(), ENVIRONMENT], check=True)
        install("install", "--python", ENVIRONMENT, "--no-deps", "--requirement", PINS)
        _stamp().write_bytes(PINS.read_bytes())
    return ENVIRONMENT


def _stamp() -> Path:
    return ENVIRONMENT / PINS.name


def _python() -> str:
    """Python 3.12, as in the image that docs/security.md shows, where this machine has it; else this one."""
    found = subprocess.run(
        [sys.executable, "-m", "uv", "python", "find", "--no-python-downloads", "3.12"],
        capture_output=True,
        text=True,
    )
    return found.stdout.strip() or sys.executable
