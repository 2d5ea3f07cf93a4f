"""report.md: what a platform engineer reads first."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import jinja2

from bench.report import wording
from bench.report.model import Report
from pypiserver_stack.common.text import printable
from sizing.counted import counted

_TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    # Escaping is Markdown's own, below: the page is not HTML.
    autoescape=False,
)


# What starts something within a line. An underscore inside a word does not, and there are many in names.
_MEANINGFUL = re.compile(r"[\\`*|<>\[\]]|\b_|_\b")


def report_markdown(report: Report) -> str:
    """report.md of a report."""
    return render("report.md.j2", report=report, wording=wording)


def render(template: str, **content: object) -> str:
    """Markdown by one of the templates, with the filters that keep text from being taken for markup."""
    return _TEMPLATES.get_template(template).render(content)


def _literal(text: str) -> str:
    """`text` as Markdown that shows just that, also within a table."""
    text = printable(text)
    return _MEANINGFUL.sub(r"\\\g<0>", text)


def _code(text: str) -> str:
    """`text` as inline code. A backtick would end it early, and no name of ours has one."""
    return f"`{printable(text).replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def _command(words: list[str]) -> str:
    return printable(shlex.join(words))


_TEMPLATES.filters.update(literal=_literal, code=_code, command=_command, counted=counted)
