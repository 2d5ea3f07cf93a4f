"""What AWS computes for alarms, logs and the dashboard."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.identity import Compute, Computed, Identity, Inputs
from bench.deployment.local_cloud.computed.ids import named, uuid_of


def _dashboard(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs["dashboardName"]
    return name, {"dashboardArn": f"arn:aws:cloudwatch::{identity.account}:dashboard/{name}"}


def _metric_alarm(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    return name, {"name": name, "arn": identity.arn("cloudwatch", f"alarm:{name}")}


def _query_definition(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = uuid_of(identity)
    return id_, {"queryDefinitionId": id_}


def _log_delivery(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = identity.digest[:16]
    return id_, {"arn": identity.arn("logs", f"delivery:{id_}")}


RESOURCES: Mapping[str, Compute] = {
    "aws:cloudwatch/dashboard:Dashboard": _dashboard,
    "aws:cloudwatch/logDelivery:LogDelivery": _log_delivery,
    "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination": named("logs", "delivery-destination:"),
    "aws:cloudwatch/logDeliverySource:LogDeliverySource": named("logs", "delivery-source:"),
    "aws:cloudwatch/logGroup:LogGroup": named("logs", "log-group:"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": _metric_alarm,
    "aws:cloudwatch/queryDefinition:QueryDefinition": _query_definition,
}
