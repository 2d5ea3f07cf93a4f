"""Widgets of a CloudWatch dashboard, and their layout.

The form of the body: CloudWatch's "Dashboard Body Structure and Syntax".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi

from pypiserver_stack.monitoring.metrics import Metric

GRID_WIDTH = 24
PERIOD_S = 60


@dataclass(frozen=True)
class MetricLine:
    """A metric on a graph."""

    metric: Metric
    statistic: str
    label: str
    id: str | None = None
    """Name in expressions; begins with a lower-case letter."""
    visible: bool = True

    def entry(self) -> list[Any]:
        """Namespace, name, each dimension's name and value, and how it is drawn."""
        options: dict[str, Any] = {"stat": self.statistic, "label": self.label}
        if self.id is not None:
            options["id"] = self.id
        if not self.visible:
            options["visible"] = False
        dimensions = [part for pair in self.metric.dimensions.items() for part in pair]
        return [self.metric.namespace, self.metric.name, *dimensions, options]


@dataclass(frozen=True)
class Expression:
    """An expression over other lines of a graph, or a search that gives one line for each metric it finds."""

    expression: pulumi.Input[str]
    label: str
    id: str

    def entry(self) -> list[Any]:
        """The expression, as the only element of its own array."""
        return [{"expression": self.expression, "label": self.label, "id": self.id}]


@dataclass(frozen=True)
class GraphWidget:
    """Lines over time."""

    title: str
    lines: Sequence[MetricLine | Expression]
    unit: str
    """Label of the axis."""
    marks: Mapping[str, float] = field(default_factory=dict)
    """Horizontal lines: label to value."""
    stacked: bool = False

    def widget(self, region: pulumi.Input[str]) -> dict[str, Any]:
        properties: dict[str, Any] = {
            "title": self.title,
            "region": region,
            "view": "timeSeries",
            "stacked": self.stacked,
            "period": PERIOD_S,
            "metrics": [line.entry() for line in self.lines],
            "yAxis": {"left": {"min": 0, "label": self.unit, "showUnits": False}},
        }
        if self.marks:
            properties["annotations"] = {
                "horizontal": [{"label": label, "value": value} for label, value in self.marks.items()]
            }
        return {"type": "metric", "properties": properties}


@dataclass(frozen=True)
class AlarmStates:
    """The states of alarms."""

    title: str
    alarm_arns: Sequence[pulumi.Input[str]]

    def widget(self, region: pulumi.Input[str]) -> dict[str, Any]:
        """Type and properties; an alarm's ARN has its region in it."""
        return {"type": "alarm", "properties": {"title": self.title, "alarms": list(self.alarm_arns)}}


@dataclass(frozen=True)
class Row:
    """Widgets side by side, each as wide as the others."""

    widgets: Sequence[GraphWidget | AlarmStates]
    height: Literal[3, 6] = 6


def body(rows: Iterable[Row], region: pulumi.Input[str]) -> dict[str, Any]:
    """The body of a dashboard: rows from the top down, over the whole width of the grid."""
    placed = []
    y = 0
    for row in rows:
        edges = [GRID_WIDTH * i // len(row.widgets) for i in range(len(row.widgets) + 1)]
        for widget, x, end in zip(row.widgets, edges, edges[1:], strict=False):
            placed.append({**widget.widget(region), "x": x, "y": y, "width": end - x, "height": row.height})
        y += row.height
    # Longer ranges get longer periods: CloudWatch keeps what it has of each minute for 15 days.
    return {"start": "-PT3H", "periodOverride": "auto", "widgets": placed}
