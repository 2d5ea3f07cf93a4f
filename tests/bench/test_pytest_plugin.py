"""The plugin in another project's test suite, run by a pytest of its own."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
(PLUGIN,) = PROJECT["entry-points"]["pytest11"].values()
PAGE = (ROOT / "docs" / "packages.md").read_text("utf-8")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of all these suites, so that 300 wheels are built once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def run_pytest(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> Callable[..., pytest.RunResult]:
    """Runs the project's tests with the plugin, whether or not the environment has it installed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return lambda *options: pytester.runpytest_subprocess("-p", PLUGIN, "-Werror", *options)


def test_there_are_300_wheels(
    pytester: pytest.Pytester, run_pytest: Callable[..., pytest.RunResult], cache: Path
) -> None:
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
    assert list((cache / "pypiserver-bench").iterdir())


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
    result.stdout.fnmatch_lines("*RuntimeError: packages is 0: ask for at least 1*")


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
    pytester: pytest.Pytester, run_pytest: Callable[..., pytest.RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path / "cache"))  # not the one that other suites have filled
    pytester.makepyfile(
        f"""
        import sys

        def test_imports():
            assert {PLUGIN!r} in sys.modules
            assert not {{"aiohttp", "numpy", "build", "bench", "pypiserver_stack"}} & sys.modules.keys()
        """
    )
    run_pytest().assert_outcomes(passed=1)
    assert not os.path.lexists(pytester.path / "cache")


@pytest.fixture
def own_bench(pytester: pytest.Pytester) -> None:
    """A package `bench` of the suite's own, which is what `import bench` finds there."""
    pytester.makepyfile(
        **{
            "bench/__init__": "OWN = True",
            "bench/packages": "raise RuntimeError('the bench of the suite')",
            "test_own": "def test_import():\n    import bench\n    assert bench.OWN",
        }
    )


@pytest.mark.usefixtures("own_bench")
def test_the_suite_of_the_page_runs_beside_a_bench_of_its_own(
    pytester: pytest.Pytester, run_pytest: Callable[..., pytest.RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As `python -m pytest` has it: the suite's folder comes before everything that is installed.
    monkeypatch.setenv("PYTHONPATH", f"{pytester.path}{os.pathsep}{ROOT}")
    files = re.findall(r"^```\w+\n# (\S+\.(?:py|ini))\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for name, text in files:
        (pytester.path / name).write_text(text)
    assert sorted(name for name, _ in files) == ["pytest.ini", "test_index.py"]
    run_pytest().assert_outcomes(passed=2)


@pytest.mark.usefixtures("own_bench")
def test_without_the_extra_it_is_named_where_a_fixture_is_requested_and_not_before(
    pytester: pytest.Pytester, run_pytest: Callable[..., pytest.RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    extras = {Requirement(text).name.replace("-", "_") for text in PROJECT["optional-dependencies"]["bench"]}
    pytester.makepyfile(
        **{
            "missing/sitecustomize": f"import sys\nsys.modules.update(dict.fromkeys({extras - {'packaging'}}))",
            "test_other": "def test_other():\n    pass\n\ndef test_count(test_packages):\n    pass",
        }
    )
    monkeypatch.setenv("PYTHONPATH", f"{pytester.path / 'missing'}{os.pathsep}{ROOT}")
    result = run_pytest()
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines("*RuntimeError: * is not installed: install pypiserver-stack with its extra [[]bench]")


def test_the_page_has_every_version_that_the_extra_pins() -> None:
    requirements = [Requirement(text) for text in PROJECT["optional-dependencies"]["bench"]]
    pins = [
        f"`{one.name}{one.specifier}`" for one in requirements if {"=="} == {each.operator for each in one.specifier}
    ]
    assert len(pins) > 5
    assert not [pin for pin in (*pins, "`setuptools<81`") if pin not in PAGE]
