"""Alarms, logs, dashboards and topics: what the provider would compute."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.origin import (
    ACCOUNT_ID,
    Compute,
    Computed,
    Inputs,
    Origin,
    arn,
    global_arn,
    named,
    named_by_arn,
    template,
)


def _topic_subscription(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    subscription = f"{inputs['topic']}:{origin.uuid}"
    return subscription, {"arn": subscription, "pendingConfirmation": inputs["protocol"] == "email"}


RESOURCES: Mapping[str, Compute] = {
    "aws:cloudwatch/dashboard:Dashboard": template(
        "{dashboardName}", dashboardArn=global_arn("cloudwatch", "dashboard/{dashboardName}")
    ),
    "aws:cloudwatch/logDelivery:LogDelivery": template("{digest:.16}", arn=arn("logs", "delivery:{id}")),
    "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination": named(arn("logs", "delivery-destination:{name}")),
    "aws:cloudwatch/logDeliverySource:LogDeliverySource": named(arn("logs", "delivery-source:{name}")),
    "aws:cloudwatch/logGroup:LogGroup": named(arn("logs", "log-group:{name}")),
    "aws:cloudwatch/metricAlarm:MetricAlarm": named(arn("cloudwatch", "alarm:{name}")),
    "aws:cloudwatch/queryDefinition:QueryDefinition": template("{uuid}", queryDefinitionId="{id}"),
    "aws:sns/topic:Topic": named_by_arn("sns", "{name}"),
    "aws:sns/topicPolicy:TopicPolicy": template("{arn}", owner=ACCOUNT_ID),
    "aws:sns/topicSubscription:TopicSubscription": _topic_subscription,
}
