"""Lists of AWS in which a sweep finds resources, each read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bench.deployment.aws.run_tags import EXPIRES, RUN
from bench.deployment.aws.sweep.clients import ServiceClients
from bench.deployment.aws.sweep.resource import RunResource, key_value_tags

_WITH_ONE_FILTER = ("describe_nat_gateways", "describe_flow_logs")  # as they spell it


class Lists:
    """What a kind is found in: AWS's lists, and the parents that were found before it."""

    def __init__(self, aws: ServiceClients) -> None:
        self.aws = aws
        self.found: dict[str, tuple[RunResource, ...]] = {}
        """Resources by the name of their kind, of the kinds that were looked for so far."""
        self._arns: dict[str, Mapping[str, Mapping[str, str]]] = {}

    def of(self, kind: str) -> tuple[RunResource, ...]:
        """What was found of a kind; of one that comes later nothing yet."""
        return self.found.get(kind, ())

    def arns(self, service: str, path: str, region: str = "") -> Iterator[tuple[str, Mapping[str, str]]]:
        """ARNs of resources with a run's tags, and their tags, of a service and beginning of its paths.

        From the Resource Groups Tagging API: it lags, lists deleted ones, and knows neither roles of IAM nor Auto
        Scaling groups.
        https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/supported-services.html
        """
        region = region or self.aws.region
        if region not in self._arns:
            mappings = self.aws.listed(
                "resourcegroupstaggingapi",
                "get_resources",
                "ResourceTagMappingList",
                region,
                TagFilters=[{"Key": RUN}, {"Key": EXPIRES}],
            )
            self._arns[region] = {one["ResourceARN"]: key_value_tags(one["Tags"]) for one in mappings}
        for arn, tags in self._arns[region].items():
            parts = arn.split(":", 5)
            if parts[2] == service and parts[5].startswith(path):
                yield arn, tags

    def of_ec2(self, operation: str, key: str) -> Iterator[Any]:
        """What EC2 describes as tagged by a run, with its tags among the rest. EC2's own lists do not lag."""
        name = "Filter" if operation in _WITH_ONE_FILTER else "Filters"
        filters: dict[str, Any] = {name: [{"Name": "tag-key", "Values": [RUN]}]}
        return self.aws.listed("ec2", operation, key, **filters)
