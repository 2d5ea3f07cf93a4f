"""Blocks that a report is made of. Every format prints them in its own way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

Style = Literal["plain", "code", "strong", "good", "bad", "warning"]


@dataclass(frozen=True)
class Cell:
    """Text with a style. A bare string is plain."""

    text: str
    style: Style = "plain"


Text = Cell | str


def cell_of(text: Text) -> Cell:
    return Cell(text) if isinstance(text, str) else text


@dataclass(frozen=True, kw_only=True)
class BlockBase:
    """Fields that blocks of every kind have."""

    heading: str = ""
    """Heading of the section that begins here; empty where the section goes on."""
    level: int = 2
    """Level of the heading, 1 for the title."""
    shown: Literal["always", "document", "terminal"] = "always"
    """Where it is shown: the terminal shows a summary, a document all of it."""


@dataclass(frozen=True, kw_only=True)
class Table(BlockBase):
    """Rows under a line of headings."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Text]]
    left: Collection[int] = (0,)
    """Columns whose text is aligned left, counted from 0; figures are aligned right."""
    document_columns: Collection[int] = ()
    """Columns that only a document shows."""
    turned: bool = False
    """The terminal, which is narrow, shows each column as a row."""


@dataclass(frozen=True, kw_only=True)
class Note(BlockBase):
    """Sentences, a list, or a command line."""

    lines: Sequence[Text]
    form: Literal["sentences", "list", "command"] = "sentences"
    label: str = ""
    """Word before each line where no heading says what it is."""
    style: Style = "plain"


Block = Table | Note
Blocks = Sequence[Block]
