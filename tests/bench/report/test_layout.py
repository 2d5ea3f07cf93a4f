"""Every report is written in every format of the list, whatever the command."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.report import formats
from bench.report.blocks import Note
from bench.report.formats import Format
from bench.report.model import Report
from bench.report.report_blocks import REPORT
from bench.report.run_folder import RunFolder


def test_a_format_is_an_entry_of_the_list(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Format("first", ".txt", lambda outcome, blocks: f"{outcome.verdict}: {blocks[0].heading}")
    monkeypatch.setattr(formats, "ALL", (*formats.ALL, first))

    REPORT.write(report, RunFolder(tmp_path))

    assert {path.name for path in tmp_path.iterdir()} == {"report.json", "report.md", "report.txt"}
    assert (tmp_path / "report.txt").read_text().startswith("thresholds_missed: production_incident: failed: 4 of 4")


def test_formats_have_suffixes_of_their_own() -> None:
    assert len({format_.suffix for format_ in formats.ALL}) == len(formats.ALL)


def test_a_report_begins_with_its_title_and_ends_with_how_to_repeat_it(report: Report) -> None:
    first, *_, last = REPORT.blocks(report)

    assert (first.level, first.heading) == (1, f"production_incident: {report.headline}")
    assert isinstance(last, Note)
    assert last.lines == ["python -m bench run --seed 42 -c instance_type=c6a.xlarge"]
