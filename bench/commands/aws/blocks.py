"""Layout of the report of `up` and `down`: stack.json and stack.md."""

from __future__ import annotations

from collections.abc import Iterator

from bench.commands.aws.model import StackReport
from bench.report.blocks import Block, Note, Table
from bench.report.layout import Layout


def _blocks(report: StackReport) -> Iterator[Block]:
    rows = [("account", report.account_id), ("region", report.region)]
    if report.stack is None:
        yield Table(columns=("", ""), rows=rows, left=(0, 1))
        return
    rows += [
        ("index", report.run.index_url or ""),
        ("profile", report.stack.profile),
        ("expires", f"{report.expires_at:%Y-%m-%d %H:%M} UTC"),
    ]
    yield Table(columns=("", ""), rows=rows, left=(0, 1))
    if report.exit_code == 0:
        lines = [f"python -m bench load --stack {report.name}", f"python -m bench down {report.name}"]
        yield Note(heading="Next", lines=lines, form="command")


def _title(report: StackReport) -> str:
    return f"stack {report.name}"


STACK: Layout[StackReport] = Layout(StackReport, "stack", _title, _blocks)
