"""The pages for users name every field and every exit code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

import bench
from bench.common.failures import PRECEDENCE, ExitCode
from bench.common.model_part import Part
from bench.deployment import description
from bench.report import model

DOCS = Path(bench.__file__).parent.parent / "docs"


def words_in_code(page: str) -> set[str]:
    return {word for code in re.findall(r"`([^`\n]+)`", page) for word in re.findall(r"\w+", code)}


# Other kinds of report are made of parts as well, and have pages of their own.
PARTS = [
    part
    for part in (*Part.__subclasses__(), *model.Figures.__subclasses__())
    if part.__module__ in (model.__name__, description.__name__)
]


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_field_of_a_report_is_on_its_page(part: type[BaseModel]) -> None:
    assert set(part.model_fields) <= words_in_code((DOCS / "report.md").read_text())


def test_every_exit_code_is_on_its_page() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", (DOCS / "exit-codes.md").read_text(), flags=re.MULTILINE)

    assert rows == [(str(code.value), code.name.lower()) for code in sorted(ExitCode)]


def test_the_page_gives_the_precedence_of_exit_codes() -> None:
    assert ": " + ", ".join(str(code.value) for code in PRECEDENCE) + "." in (DOCS / "exit-codes.md").read_text()
