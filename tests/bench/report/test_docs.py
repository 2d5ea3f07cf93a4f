"""The page for users names every exit code."""

from __future__ import annotations

import re
from pathlib import Path

import bench
from bench.common.failures import PRECEDENCE, ExitCode

DOCS = Path(bench.__file__).parent.parent / "docs"


def test_every_exit_code_is_on_its_page() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", (DOCS / "exit-codes.md").read_text(), flags=re.MULTILINE)

    assert rows == [(str(code.value), code.name.lower()) for code in sorted(ExitCode)]


def test_the_page_gives_the_precedence_of_exit_codes() -> None:
    assert ": " + ", ".join(str(code.value) for code in PRECEDENCE) + "." in (DOCS / "exit-codes.md").read_text()
