"""The part of docs/clients.md that is written from what the clients did."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.client_matrix.matrix import Cell

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
_BEGIN = "<!-- begin: python -m tests.client_matrix -->\n\n"
_END = "\n\n<!-- end: python -m tests.client_matrix -->"


def tables() -> str:
    """The tables that the page has."""
    return PAGE.read_text().partition(_BEGIN)[2].partition(_END)[0]


def stated(cell: Cell) -> str:
    """What the page says in a cell; nothing where it has no such cell."""
    return _cells().get((cell.table, str(cell.client), cell.head), "")


@cache
def _cells() -> dict[tuple[str, str, str], str]:
    """By title of the table, client, and head of the column."""
    found = {}
    for table in tables().split("\n\n"):
        (title, *heads), _, *rows = (line.strip("| ").split(" | ") for line in table.splitlines())
        for client, *row in rows:
            found.update({(title, client, head): text for head, text in zip(heads, row, strict=True)})
    return found


def write(text: str) -> None:
    """Put tables in place of those that the page has."""
    before, begin, rest = PAGE.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    assert begin, f"{PAGE} has no line {_BEGIN.strip()}"
    assert end, f"{PAGE} has no line {_END.strip()}"
    PAGE.write_text(f"{before}{begin}{text}{end}{after}")
