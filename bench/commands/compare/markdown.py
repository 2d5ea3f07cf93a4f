"""comparison.md."""

from __future__ import annotations

from bench.commands.compare import wording as words
from bench.commands.compare.model import Comparison
from bench.report import wording
from bench.report.markdown import render


def comparison_markdown(comparison: Comparison) -> str:
    """comparison.md of a comparison."""
    return render("comparison.md.j2", comparison=comparison, wording=wording, words=words)
