"""Alarms, logs, dashboards and topics: what the provider would compute."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import named, named_by_arn, uuid_of
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _dashboard(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs["dashboardName"]
    return name, {"dashboardArn": f"arn:aws:cloudwatch::{origin.account}:dashboard/{name}"}


def _query_definition(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = uuid_of(origin)
    return id_, {"queryDefinitionId": id_}


def _log_delivery(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = origin.digest[:16]
    return id_, {"arn": origin.arn("logs", f"delivery:{id_}")}


def _topic_subscription(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    arn = f"{inputs['topic']}:{uuid_of(origin)}"
    return arn, {"arn": arn, "pendingConfirmation": inputs["protocol"] == "email"}


RESOURCES: Mapping[str, Compute] = {
    "aws:cloudwatch/dashboard:Dashboard": _dashboard,
    "aws:cloudwatch/logDelivery:LogDelivery": _log_delivery,
    "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination": named("logs", "delivery-destination:"),
    "aws:cloudwatch/logDeliverySource:LogDeliverySource": named("logs", "delivery-source:"),
    "aws:cloudwatch/logGroup:LogGroup": named("logs", "log-group:"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": named("cloudwatch", "alarm:"),
    "aws:cloudwatch/queryDefinition:QueryDefinition": _query_definition,
    "aws:sns/topic:Topic": named_by_arn("sns", ""),
    "aws:sns/topicPolicy:TopicPolicy": lambda origin, inputs: (inputs["arn"], {"owner": origin.account}),
    "aws:sns/topicSubscription:TopicSubscription": _topic_subscription,
}
