"""The structure of a CloudWatch dashboard's body, as its documentation describes it, as far as ours goes.

AWS refuses a body that does not keep it, but only when the dashboard is made.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[a-z][a-zA-Z0-9_]*$", max_length=255)]
Statistic = Annotated[str, Field(pattern=r"^(SampleCount|Average|Sum|Minimum|Maximum|p\d{1,2}(\.\d+)?)$")]
AlarmArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:cloudwatch:[a-z0-9-]+:\d{12}:alarm:.+$")]


def _a_period(seconds: int) -> int:
    if seconds not in (1, 5, 10, 30) and seconds % 60:
        raise ValueError(f"{seconds} s is no period")
    return seconds


Period = Annotated[int, AfterValidator(_a_period)]


class BodyPart(BaseModel):
    """Of a body: nothing but what the documentation names."""

    model_config = ConfigDict(extra="forbid", strict=True)


class MetricOptions(BodyPart):
    stat: Statistic
    label: str
    id: Id | None = None
    visible: bool = True


class ExpressionOptions(BodyPart):
    expression: Annotated[str, Field(min_length=1, max_length=2048)]
    label: str
    id: Id


def _a_metric(entry: list[Any]) -> list[Any]:
    *names, options = entry
    if not names:
        ExpressionOptions.model_validate(options)
        return entry
    MetricOptions.model_validate(options)
    if not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"{names} are not all text")
    # Namespace and name, then up to 30 dimensions, each its name and its value.
    if len(names) < 2 or len(names) % 2 or len(names) > 62:
        raise ValueError(f"{names} are not namespace, name and pairs")
    return entry


class Axis(BodyPart):
    label: str
    min: float
    show_units: Annotated[bool, Field(alias="showUnits")]


class Axes(BodyPart):
    left: Axis


class Mark(BodyPart):
    label: str
    value: float


class Annotations(BodyPart):
    horizontal: Annotated[list[Mark], Field(min_length=1)]


class MetricProperties(BodyPart):
    title: str
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    view: Literal["timeSeries", "singleValue", "gauge", "bar", "pie", "table"]
    stacked: bool
    period: Period
    metrics: Annotated[list[Annotated[list[Any], AfterValidator(_a_metric)]], Field(min_length=1, max_length=500)]
    y_axis: Annotated[Axes, Field(alias="yAxis")]
    annotations: Annotations | None = None


class AlarmProperties(BodyPart):
    title: str
    alarms: Annotated[list[AlarmArn], Field(min_length=1, max_length=100)]


class Widget(BodyPart):
    x: Annotated[int, Field(ge=0, le=23)]
    y: Annotated[int, Field(ge=0)]
    width: Annotated[int, Field(ge=1, le=24)]
    height: Annotated[int, Field(ge=1, le=1000)]


class MetricWidget(Widget):
    type: Literal["metric"]
    properties: MetricProperties


class AlarmWidget(Widget):
    type: Literal["alarm"]
    properties: AlarmProperties


class Body(BodyPart):
    start: Annotated[str, Field(pattern=r"^-P(T\d+[HM]|\d+[DWM])$")]
    period_override: Annotated[Literal["auto", "inherit"], Field(alias="periodOverride")]
    widgets: Annotated[
        list[Annotated[MetricWidget | AlarmWidget, Field(discriminator="type")]], Field(min_length=1, max_length=500)
    ]
