"""Formats of report files.

A format is a module here and an entry in `ALL`. The terminal, which is no file, prints the same blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from bench.report.blocks import Blocks
from bench.report.formats.json import json_text
from bench.report.formats.markdown import markdown_text
from bench.report.outcome import Outcome


class Format(NamedTuple):
    """One format of the files in a results folder."""

    name: str
    suffix: str
    text: Callable[[Outcome, Blocks], str]
    """Content of the file."""


JSON = Format("json", ".json", lambda outcome, blocks: json_text(outcome))
MARKDOWN = Format("markdown", ".md", lambda outcome, blocks: markdown_text(blocks))
ALL = (JSON, MARKDOWN)
