"""Reports in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bench.report.blocks import Block, Blocks, Table, Text, cell_of
from pypiserver_stack.common.text import printable

# What starts something within a line. An underscore inside a word does not, and there are many in names.
_MARKUP = re.compile(r"[\\`*|>\[\]]|<(?! )|\b_|_\b")


def markdown_text(blocks: Blocks) -> str:
    """A document of `blocks`, in which no name is taken for markup."""
    return "\n\n".join(part for block in blocks if block.shown != "terminal" for part in _parts(block)) + "\n"


def _parts(block: Block) -> Iterator[str]:
    if block.heading:
        yield f"{'#' * block.level} {_literal(block.heading)}"
    if isinstance(block, Table):
        yield "\n".join(_table_lines(block))
    elif block.form == "sentences":
        yield from map(_inline, block.lines)
    elif block.form == "list":
        yield "\n".join(f"- {_inline(line)}" for line in block.lines)
    else:
        yield "\n".join(["```", *(printable(cell_of(line).text) for line in block.lines), "```"])


def _table_lines(table: Table) -> Iterator[str]:
    yield _row(map(_inline, table.columns))
    yield "|" + "|".join("---" if column in table.left else "---:" for column in range(len(table.columns))) + "|"
    for row in table.rows:
        yield _row(map(_inline, row))


def _row(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _inline(text: Text) -> str:
    cell = cell_of(text)
    if cell.style == "code":
        return _code(cell.text)
    return f"**{_literal(cell.text)}**" if cell.style in ("strong", "bad") else _literal(cell.text)


def _literal(text: str) -> str:
    """`text` as Markdown that shows just that, also within a table."""
    return _MARKUP.sub(r"\\\g<0>", printable(text))


def _code(text: str) -> str:
    """`text` as inline code. A backtick would end it early, and no name of ours has one."""
    return f"`{printable(text).replace('`', chr(39)).replace('|', chr(92) + '|')}`"
