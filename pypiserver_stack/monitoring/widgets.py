"""Widgets of a CloudWatch dashboard, and their layout.

The form of the body: CloudWatch's "Dashboard Body Structure and Syntax".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pulumi

from pypiserver_stack.monitoring.metrics import Metric

GRID_WIDTH = 24
PERIOD_S = 60

GraphLine = list[Any]
"""A line of a graph, as the body has it."""


def metric_line(metric: Metric, statistic: str, label: str, **options: Any) -> GraphLine:
    """Namespace, name, each dimension's name and value, and how it is drawn."""
    dimensions = [part for pair in metric.dimensions.items() for part in pair]
    return [metric.namespace, metric.name, *dimensions, {"stat": statistic, "label": label, **options}]


def operand(metric: Metric, statistic: str, name: str) -> GraphLine:
    """A line that is not drawn: expressions have it by its name, which begins with a lower-case letter."""
    return metric_line(metric, statistic, name, id=name, visible=False)


def expression(text: pulumi.Input[str], label: str, name: str) -> GraphLine:
    """An expression over other lines of a graph, or a search that gives one line for each metric it finds."""
    return [{"expression": text, "label": label, "id": name}]


@dataclass(frozen=True)
class GraphWidget:
    """Lines over time."""

    title: str
    lines: Sequence[GraphLine]
    unit: str
    """Label of the axis."""
    marks: Mapping[str, float] = field(default_factory=dict)
    """Horizontal lines: label to value."""
    stacked: bool = False
    height: ClassVar = 6

    def widget(self, region: pulumi.Input[str]) -> dict[str, Any]:
        properties: dict[str, Any] = {
            "title": self.title,
            "region": region,
            "view": "timeSeries",
            "stacked": self.stacked,
            "period": PERIOD_S,
            "metrics": list(self.lines),
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
    height: ClassVar = 3

    def widget(self, region: pulumi.Input[str]) -> dict[str, Any]:
        """Type and properties; an alarm's ARN has its region in it."""
        return {"type": "alarm", "properties": {"title": self.title, "alarms": list(self.alarm_arns)}}


Row = Sequence[GraphWidget | AlarmStates]
"""Widgets of one height side by side, each as wide as the others."""


def body(rows: Iterable[Row], region: pulumi.Input[str]) -> dict[str, Any]:
    """The body of a dashboard: rows from the top down, over the whole width of the grid."""
    placed = []
    y = 0
    for row in rows:
        edges = [GRID_WIDTH * i // len(row) for i in range(len(row) + 1)]
        for widget, x, end in zip(row, edges, edges[1:], strict=False):
            placed.append({**widget.widget(region), "x": x, "y": y, "width": end - x, "height": widget.height})
        y += row[0].height
    # Longer ranges get longer periods: CloudWatch keeps what it has of each minute for 15 days.
    return {"start": "-PT3H", "periodOverride": "auto", "widgets": placed}
