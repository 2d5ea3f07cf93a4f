"""The figures of docs/sizing.md are what the code gives."""

from __future__ import annotations

import doctest
from pathlib import Path


def test_every_figure_of_the_page_is_computed() -> None:
    page = Path(__file__).parents[2] / "docs" / "sizing.md"
    outcome = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert outcome.attempted >= 10
    assert outcome.failed == 0
