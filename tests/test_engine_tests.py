"""The marker `engine`: its tests run where there is a `pulumi` command, and are left out where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SUITE = """
    import pytest

    @pytest.mark.engine
    def test_marked(pulumi_cli):
        assert (pulumi_cli / "pulumi").is_file()

    @pytest.fixture(params=["embedded", pytest.param("pulumi", marks=pytest.mark.engine)])
    def engine(request):
        return request.param == "embedded" or request.getfixturevalue("pulumi_cli")

    def test_of_both(engine):
        assert engine
"""
UNMARKED = """
    def test_by_name(pulumi_cli):
        pass

    def test_while_it_runs(request):
        request.getfixturevalue("pulumi_cli")
"""


@pytest.fixture
def checkout(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A suite with this suite's conftest, on a machine without a pulumi command."""
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("REQUIRE_ENGINE_TESTS", raising=False)
    pytester.makeini("[pytest]\nmarkers = engine\n    thorough")
    pytester.mkdir("tests").joinpath("conftest.py").write_text(Path(__file__).with_name("conftest.py").read_text())
    return pytester


def suite(checkout: pytest.Pytester, source: str) -> None:
    checkout.makepyfile(**{"tests/test_suite": source})


def build_pulumi(checkout: pytest.Pytester) -> None:
    checkout.mkdir(".tools").joinpath("bin").mkdir()
    (checkout.path / ".tools" / "bin" / "pulumi").touch(mode=0o755)


@pytest.mark.parametrize("processes", ["-n0", "-n1"])
def test_without_pulumi_they_are_left_out(processes: str, checkout: pytest.Pytester) -> None:
    suite(checkout, SUITE)
    result = checkout.runpytest_inprocess(processes)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines("2 engine tests left out: they need a pulumi command*")


def test_with_pulumi_they_run(checkout: pytest.Pytester) -> None:
    suite(checkout, SUITE)
    build_pulumi(checkout)
    checkout.runpytest_inprocess().assert_outcomes(passed=3)


def test_where_they_are_required_they_fail_without_pulumi(
    checkout: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUIRE_ENGINE_TESTS", "1")
    suite(checkout, SUITE)
    result = checkout.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=2)
    result.stdout.fnmatch_lines("there is no pulumi command: install one, or run `make pulumi`")


def test_no_other_test_gets_the_command(checkout: pytest.Pytester) -> None:
    suite(checkout, UNMARKED)
    build_pulumi(checkout)
    result = checkout.runpytest_inprocess()
    result.assert_outcomes(failed=1, errors=1)
    result.stdout.fnmatch_lines("pulumi_cli is requested by a test without the marker `engine`*")
