"""explain.md, and the part of docs/performance.md that is generated."""

from __future__ import annotations

from bench.commands.explain import wording as words
from bench.commands.explain.model import Explanation
from bench.report import wording
from bench.report.markdown import render


def explanation_markdown(explanation: Explanation) -> str:
    """explain.md of an explanation."""
    return render("explain.md.j2", explanation=explanation, wording=wording, words=words)


def table_markdown(explanation: Explanation) -> str:
    """The table with what it stands on. No date: measured again on the same machine, only the figures differ."""
    return render("explain_table.md.j2", explanation=explanation, wording=wording, words=words)
