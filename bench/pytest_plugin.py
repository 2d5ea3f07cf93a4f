"""Fixtures for anyone's test suite: real packages, and a way to fill a package index with them.

pytest loads this in every run of an environment that has it, so that what is heavy is imported where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bench.packages import Wheel

_PACKAGES = 100


def pytest_addoption(parser: pytest.Parser) -> None:
    """How many packages there are: an option, and a setting of the same name for the ini file."""
    what = f"how many packages of three wheels each test_packages makes [{_PACKAGES}]"
    parser.getgroup("package index").addoption("--bench-packages", type=int, metavar="N", help=what)
    parser.addini("bench_packages", what, type="int", default=_PACKAGES)


@pytest.fixture(scope="session")
def bench_wheels(request: pytest.FixtureRequest) -> tuple[Wheel, ...]:
    """What `test_packages` are, with the name, version, size and digest of each."""
    from bench.packages import PackageSet, build, default_cache_dir

    option = request.config.getoption("--bench-packages")
    packages: int = request.config.getini("bench_packages") if option is None else option
    return build(PackageSet(packages=packages), default_cache_dir())


@pytest.fixture(scope="session")
def test_packages(bench_wheels: tuple[Wheel, ...]) -> list[Path]:
    """Wheels that pip can install, three for each package: 300 unless configured otherwise.

    They come from a cache and are shared with other runs: copy what a test is going to change.
    """
    return [wheel.path for wheel in bench_wheels]


@pytest.fixture(scope="session")
def upload_packages_to_pypi(bench_wheels: tuple[Wheel, ...]) -> Callable[[str, str, str], int]:
    """A function of `pypi_url`, `username` and `password` that uploads `test_packages` to an index.

    It checks that the index lists all of them, and returns how many there are. It raises
    `bench.failures.UnavailableError` where the index refuses or loses any.
    """
    from bench.publish import publish

    def upload(pypi_url: str, username: str, password: str) -> int:
        publish(pypi_url, username, password, bench_wheels)
        return len(bench_wheels)

    return upload
