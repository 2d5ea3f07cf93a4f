"""The last line of a test run: how long it took, and its slowest tests."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SUITE = """
    import time

    import pytest

    @pytest.mark.parametrize("number", range(12))
    def test_quick(number):
        pass

    @pytest.fixture
    def slow():
        time.sleep(0.2)

    def test_with_a_slow_fixture(slow):
        time.sleep(0.1)
"""


def test_the_ten_slowest_tests_are_on_one_line(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmarkers = engine\n    thorough")
    pytester.makeconftest(Path(__file__).with_name("conftest.py").read_text())
    pytester.makepyfile(test_suite=SUITE)
    result = pytester.runpytest_inprocess("-n1")  # as make starts it, in processes
    (line,) = [line for line in result.outlines if line.startswith("took ")]
    first, *others = line.partition("the slowest: ")[2].split(", ")
    assert first.startswith("test_suite.py::test_with_a_slow_fixture 0.3 s")
    assert len(others) == 9
