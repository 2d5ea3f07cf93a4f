"""The plugin in another project's test suite, run by a pytest of its own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bench

pytest_plugins = ["pytester"]


@pytest.fixture
def run_pytest(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """Runs the project's tests with the plugin, whether or not the environment has it installed."""
    monkeypatch.setenv("PYTHONPATH", str(Path(bench.__file__).parent.parent))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path / "cache"))
    return lambda *options: pytester.runpytest_subprocess("-p", "bench.pytest_plugin", "-Werror", *options)


def test_there_are_300_wheels(pytester: pytest.Pytester, run_pytest: Callable[..., pytest.RunResult]) -> None:
    pytester.makepyfile(
        """
        from packaging.utils import parse_wheel_filename

        def test_count(test_packages):
            assert isinstance(test_packages, list)
            assert len({path.name for path in test_packages if path.is_file()}) == 300
            assert len({parse_wheel_filename(path.name)[0] for path in test_packages}) == 100

        def test_same_session(test_packages, request):
            assert request.getfixturevalue("test_packages") is test_packages
        """
    )
    run_pytest().assert_outcomes(passed=2)
    assert list((pytester.path / "cache" / "pypiserver-bench").iterdir())


@pytest.mark.parametrize("ini", ["", "bench_packages = 5"])
def test_the_option_says_how_many(
    ini: str, pytester: pytest.Pytester, run_pytest: Callable[..., pytest.RunResult]
) -> None:
    pytester.makeini(f"[pytest]\n{ini}")
    pytester.makepyfile("def test_count(test_packages):\n    assert len(test_packages) == 6")
    run_pytest("--bench-packages", "2").assert_outcomes(passed=1)


def test_the_ini_file_says_how_many(pytester: pytest.Pytester, run_pytest: Callable[..., pytest.RunResult]) -> None:
    pytester.makeini("[pytest]\nbench_packages = 2")
    pytester.makepyfile("def test_count(test_packages):\n    assert len(test_packages) == 6")
    run_pytest().assert_outcomes(passed=1)


def test_none_are_refused(pytester: pytest.Pytester, run_pytest: Callable[..., pytest.RunResult]) -> None:
    pytester.makepyfile("def test_count(test_packages):\n    pass")
    result = run_pytest("--bench-packages", "0")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*UsageError: packages is 0: ask for at least 1*")


def test_an_index_is_filled(
    pytester: pytest.Pytester,
    run_pytest: Callable[..., pytest.RunResult],
    pypi_server: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INDEX", f"{pypi_server.url} {pypi_server.username} {pypi_server.password}")
    pytester.makepyfile(
        """
        import hashlib, os

        def test_upload(upload_packages_to_pypi, test_packages):
            url, username, password = os.environ["INDEX"].split()
            assert upload_packages_to_pypi(pypi_url=url, username=username, password=password) == 9
            for path in test_packages:
                print(f"{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()}")
        """
    )
    result = run_pytest("--bench-packages", "3", "-s")
    result.assert_outcomes(passed=1)
    held = [
        f"{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in sorted(pypi_server.packages.iterdir())
    ]
    assert len(held) == 9
    result.stdout.fnmatch_lines([f"*{line}" for line in held])


def test_suites_that_do_not_use_it_pay_nothing(
    pytester: pytest.Pytester, run_pytest: Callable[..., pytest.RunResult]
) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_imports():
            assert "bench.pytest_plugin" in sys.modules
            assert not {"aiohttp", "numpy", "build", "bench.packages"} & sys.modules.keys()
        """
    )
    run_pytest().assert_outcomes(passed=1)
    assert not os.path.lexists(pytester.path / "cache")
