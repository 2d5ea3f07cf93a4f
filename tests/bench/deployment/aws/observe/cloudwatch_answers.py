"""A CloudWatch that holds values by metric, and answers GetMetricData from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.bench.deployment.aws.recorded_aws import AwsRefusal

Values = Mapping[float, float]
"""By beginning of the period, in seconds since 1970."""


@dataclass
class CloudWatchAnswers:
    """Values by name and statistic of a metric, and optionally by the values of its dimensions."""

    values: dict[tuple[str, str], Values] = field(default_factory=dict)
    only_for: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """Names of the dimensions that a metric was published with; a metric that is not here is found by any."""
    refused: dict[str, AwsRefusal] = field(default_factory=dict)
    """Namespace to the refusal of a call that names it."""
    page_size: int = 500
    calls: int = 0

    def __call__(self, parameters: Mapping[str, Any]) -> Mapping[str, Any] | AwsRefusal:
        self.calls += 1
        entries = parameters["MetricDataQueries"]
        assert len(entries) <= 500
        for entry in entries:
            namespace = entry.get("MetricStat", {}).get("Metric", {}).get("Namespace")
            if namespace in self.refused:
                return self.refused[namespace]
        # Pages split the values of a metric, as CloudWatch's may.
        points = [(entry, at_s, value) for entry in entries for at_s, value in self._of(entry, entries).items()]
        first = int(parameters.get("NextToken", "0"))
        page = points[first : first + self.page_size]
        answer: dict[str, Any] = {"MetricDataResults": [_result(entry, at_s, value) for entry, at_s, value in page]}
        if first + self.page_size < len(points):
            answer["NextToken"] = str(first + self.page_size)
        return answer

    def _of(self, entry: Mapping[str, Any], entries: list[Mapping[str, Any]]) -> Values:
        if not entry.get("ReturnData", True):
            return {}
        if "Expression" in entry:
            above, below = (
                self._statistic(one["MetricStat"])
                for id_ in entry["Expression"].split(" / ")
                for one in entries
                if one["Id"] == id_
            )
            return {at_s: value / below[at_s] for at_s, value in above.items() if at_s in below}
        return self._statistic(entry["MetricStat"])

    def _statistic(self, statistic: Mapping[str, Any]) -> Values:
        key = statistic["Metric"]["MetricName"], statistic["Stat"]
        names = {one["Name"] for one in statistic["Metric"]["Dimensions"]}
        return self.values.get(key, {}) if self.only_for.get(key, names) == names else {}


def _result(entry: Mapping[str, Any], at_s: float, value: float) -> dict[str, Any]:
    return {
        "Id": entry["Id"],
        "Label": entry["Id"],
        "Timestamps": [datetime.fromtimestamp(at_s, UTC)],
        "Values": [value],
        "StatusCode": "PartialData",
    }
