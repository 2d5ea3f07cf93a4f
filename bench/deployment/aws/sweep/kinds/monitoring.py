"""Kinds that watch: alarms, dashboards, logs, topics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.deployment.aws.sweep.clients import GLOBAL_REGION, ServiceClients
from bench.deployment.aws.sweep.kind import ResourceKind
from bench.deployment.aws.sweep.kinds.compute import described_clusters
from bench.deployment.aws.sweep.lists import Lists
from bench.deployment.aws.sweep.resource import RunResource, Sighting, lower_case_tags

_INSIGHTS = "/aws/ecs/containerinsights/"


def _name(arn: str) -> str:
    return arn.rpartition(":")[2]


def _alarms(lists: Lists) -> Iterator[Sighting]:
    """The tagged ones, and those that target tracking makes of services and groups, without tags."""
    for arn, tags in lists.arns("cloudwatch", "alarm:"):
        yield Sighting(_name(arn), tags)
    for scaled in (*lists.of("ECS service"), *lists.of("Auto Scaling group")):
        prefix = f"TargetTracking-{scaled.id.rpartition(':')[2]}-"
        for alarm in lists.aws.listed("cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=prefix):
            yield Sighting(alarm["AlarmName"], scaled.tags)


def _dashboards(lists: Lists) -> Iterator[Sighting]:
    """They take no tags, and have the name of their cluster."""
    for cluster in lists.of("ECS cluster"):
        name = cluster.id.rpartition("/")[2]
        for dashboard in lists.aws.listed(
            "cloudwatch", "list_dashboards", "DashboardEntries", DashboardNamePrefix=name
        ):
            if dashboard["DashboardName"] == name:
                yield Sighting(name, cluster.tags)


def _log_groups(lists: Lists) -> Iterator[Sighting]:
    for arn, tags in lists.arns("logs", "log-group:"):
        yield Sighting(arn.partition(":log-group:")[2].removesuffix(":*"), tags)


def _look_at_log_group(aws: ServiceClients, group: RunResource) -> bool:
    listed = aws.listed("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=group.id)
    return any(one["logGroupName"] == group.id for one in listed)


def _insights(lists: Lists) -> Iterator[Sighting]:
    """Container Insights writes for a while after a cluster is gone. AWS describes that with its tags meanwhile."""
    groups = {
        group["logGroupName"].removeprefix(_INSIGHTS).partition("/")[0]: group["logGroupName"]
        for group in lists.aws.listed("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=_INSIGHTS)
    }
    for cluster in described_clusters(lists.aws, list(groups)):
        yield Sighting(groups[cluster["clusterName"]], lower_case_tags(cluster.get("tags", ())))


def _queries(lists: Lists) -> Iterator[Sighting]:
    """Saved queries take no tags; their names begin with that of their log group."""
    for group in lists.of("log group"):
        arguments = {"queryDefinitionNamePrefix": f"{group.id}/"}
        for query in lists.aws.listed("logs", "describe_query_definitions", "queryDefinitions", **arguments):
            yield Sighting(query["queryDefinitionId"], group.tags, parent=query["name"])


def _look_at_query(aws: ServiceClients, query: RunResource) -> bool:
    arguments = {"queryDefinitionNamePrefix": query.parent}
    listed = aws.listed("logs", "describe_query_definitions", "queryDefinitions", **arguments)
    return any(one["queryDefinitionId"] == query.id for one in listed)


def _topics(lists: Lists) -> Iterator[Sighting]:
    for arn, tags in lists.arns("sns", ""):
        yield Sighting(arn, tags)


def _delivery(name: str, operation: str, key: str, id_key: str, words: str) -> ResourceKind:
    """A part of the delivery of CloudFront's logs.

    Args:
        operation: describes all of them, under `key`, each with its `id_key`.
        words: what its other operations are called after.
    """

    def find(lists: Lists) -> Iterator[Sighting]:
        for one in lists.aws.listed("logs", operation, key, GLOBAL_REGION):
            yield Sighting(one[id_key], one.get("tags", {}), region=GLOBAL_REGION)

    def by_id(verb: str) -> Any:
        return lambda aws, one: getattr(aws("logs", one.region), f"{verb}_{words}")(**{id_key: one.id})

    return ResourceKind(
        name, find, by_id("get"), by_id("delete"), f"aws logs delete-{words.replace('_', '-')} --{id_key} {{id}}"
    )


ALARM = ResourceKind(
    "alarm",
    _alarms,
    lambda aws, alarm: aws("cloudwatch").describe_alarms(AlarmNames=[alarm.id])["MetricAlarms"],
    lambda aws, alarm: aws("cloudwatch").delete_alarms(AlarmNames=[alarm.id]),
    "aws cloudwatch delete-alarms --alarm-names {id}",
)
DASHBOARD = ResourceKind(
    "dashboard",
    _dashboards,
    lambda aws, dashboard: aws("cloudwatch").get_dashboard(DashboardName=dashboard.id),
    lambda aws, dashboard: aws("cloudwatch").delete_dashboards(DashboardNames=[dashboard.id]),
    "aws cloudwatch delete-dashboards --dashboard-names {id}",
)
QUERY = ResourceKind(
    "saved query",
    _queries,
    _look_at_query,
    lambda aws, query: aws("logs").delete_query_definition(queryDefinitionId=query.id),
    "aws logs delete-query-definition --query-definition-id {id}",
)
LOG_GROUP = ResourceKind(
    "log group",
    _log_groups,
    _look_at_log_group,
    lambda aws, group: aws("logs").delete_log_group(logGroupName=group.id),
    "aws logs delete-log-group --log-group-name {id}",
)
INSIGHTS_LOG_GROUP = ResourceKind(
    "Container Insights log group",
    _insights,
    _look_at_log_group,
    lambda aws, group: aws("logs").delete_log_group(logGroupName=group.id),
    "aws logs delete-log-group --log-group-name {id}",
    reappears=True,
)
TOPIC = ResourceKind(
    "SNS topic",
    _topics,
    lambda aws, topic: aws("sns").get_topic_attributes(TopicArn=topic.id),
    lambda aws, topic: aws("sns").delete_topic(TopicArn=topic.id),
    "aws sns delete-topic --topic-arn {id}",
)
LOG_DELIVERY = _delivery("log delivery", "describe_deliveries", "deliveries", "id", "delivery")
LOG_SOURCE = _delivery("log delivery source", "describe_delivery_sources", "deliverySources", "name", "delivery_source")
LOG_DESTINATION = _delivery(
    "log delivery destination",
    "describe_delivery_destinations",
    "deliveryDestinations",
    "name",
    "delivery_destination",
)
