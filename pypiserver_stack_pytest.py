"""Fixtures for any test suite: real packages, and a way to fill a package index with them.

pytest loads this in every run of an environment that has it: a module of its own, whose name no suite has, and which
imports nothing of the benchmark. The suite may have a `bench` of its own, or the extra `bench` may not be installed: a
process of its own does the work, `bench.pytest_plugin`, and only when a fixture is requested.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

_PACKAGES = 100


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the number of packages: an option, and a setting of nearly the same name for the ini file."""
    what = f"Number of packages, three wheels each, in test_packages [{_PACKAGES}]"
    parser.getgroup("package index").addoption("--bench-packages", type=int, metavar="N", help=what)
    parser.addini("bench_packages", what, type="int", default=_PACKAGES)


@pytest.fixture(scope="session")
def test_packages(request: pytest.FixtureRequest) -> list[Path]:
    """Wheels that pip can install, three for each package: 300 unless configured otherwise.

    They come from a cache and are shared with other runs: copy what a test is going to change.
    """
    return _run(request.config)


@pytest.fixture(scope="session")
def upload_packages_to_pypi(request: pytest.FixtureRequest) -> Callable[[str, str, str], int]:
    """A function of `pypi_url`, `username` and `password` that uploads `test_packages` to an index.

    It checks that the index lists all of them, and returns their number. It raises RuntimeError with one sentence where
    the index refuses or loses any.
    """

    def upload(pypi_url: str, username: str, password: str) -> int:
        return len(_run(request.config, pypi_url, username, password))

    return upload


def _run(config: pytest.Config, *index: str) -> list[Path]:
    """The wheels, built if need be and uploaded to an index if there is one."""
    option = config.getoption("--bench-packages")
    packages: int = config.getini("bench_packages") if option is None else option
    # The benchmark beside this file, whatever the suite and its folder have under that name.
    path = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-m", "bench.pytest_plugin"],
        input=json.dumps({"packages": packages, "index": index}),  # no password among the arguments
        env={**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    sys.stderr.write(done.stderr)
    return [Path(wheel) for wheel in json.loads(done.stdout)]
