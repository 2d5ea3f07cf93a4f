"""The page of operations: every alarm leads to its runbook, and no link of the page leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path

from pypiserver_stack.settings import Settings
from pypiserver_stack.settings.groups.monitoring import ALARM_NAMES
from tests.pypiserver_stack.support.evaluation import ROOT, evaluated

PAGE = ROOT / "docs" / "operations.md"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


def headings(page: Path) -> set[str]:
    """The anchors that a Markdown page has."""
    lines = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}


def test_every_alarm_has_its_runbook() -> None:
    every = ("profile=medium", "efs_throughput_mode=bursting")
    found = [alarm.inputs["alarmDescription"] for alarm in evaluated("stress", every).graph.of_type(ALARM)]
    links = [re.fullmatch(r".* Runbook: (\S+)#(\S+)", description) for description in found]
    assert len(links) == 11
    for link in links:
        assert link
        assert link[2] in headings(ROOT / link[1])
    # The one that needs a certificate, and every name that may be switched off.
    assert {name.replace("_", "-") for name in ALARM_NAMES} <= headings(ROOT / "docs" / "operations.md")


def test_every_alarm_is_in_the_table_of_alarms() -> None:
    rows = re.findall(r"^\| \[[^]]+\]\(#([^)]+)\) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert rows == [name.replace("_", "-") for name in ALARM_NAMES]


def test_no_link_leads_nowhere() -> None:
    links = re.findall(r"\]\(([^)#]*)(?:#([^)]+))?\)", PAGE.read_text("utf-8"))
    assert len(links) > 30
    for page, anchor in links:
        target = PAGE.parent / page if page else PAGE
        assert target.is_file(), page
        assert not anchor or anchor in headings(target), anchor


def test_settings_that_the_page_names_exist() -> None:
    values = re.findall(r"`(\w+): \w+`|config set (\w+) ", PAGE.read_text("utf-8"))
    assert {key for pair in values for key in pair if key} <= set(Settings.model_fields)
