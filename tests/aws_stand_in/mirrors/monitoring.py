"""Alarms, logs, dashboards and topics in the stand-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.deployment.local_cloud import Record
from tests.aws_stand_in.mirror import Aws, Mirror, given, tag_list


def _dashboard(aws: Aws, record: Record) -> Mapping[str, Any]:
    aws("cloudwatch").put_dashboard(**given(record, "dashboardName", "dashboardBody"))
    return {}


def _log_group(aws: Aws, record: Record) -> Mapping[str, Any]:
    logs = aws("logs")
    logs.create_log_group(logGroupName=record.id, tags=record.inputs.get("tags", {}))
    logs.put_retention_policy(logGroupName=record.id, retentionInDays=record.inputs["retentionInDays"])
    return {}


_ALARM = (
    "alarmDescription",
    "comparisonOperator",
    "evaluationPeriods",
    "threshold",
    "treatMissingData",
    "datapointsToAlarm",
    "alarmActions",
    "okActions",
    "period",
    "statistic",
    "extendedStatistic",
    "namespace",
    "metricName",
)


def _alarm(aws: Aws, record: Record) -> Mapping[str, Any]:
    alarm = given(record, *_ALARM)
    alarm["OKActions"] = alarm.pop("OkActions", [])
    dimensions = [{"Name": name, "Value": value} for name, value in record.inputs.get("dimensions", {}).items()]
    aws("cloudwatch").put_metric_alarm(
        AlarmName=record.id, **alarm, Dimensions=dimensions, Tags=tag_list(record), **_queries(record)
    )
    return {}


def _queries(record: Record) -> dict[str, Any]:
    """The metrics of an alarm that computes with several."""
    queries = []
    for query in record.inputs.get("metricQueries", ()):
        made = {key[0].upper() + key[1:]: value for key, value in query.items() if key != "metric"}
        if metric := query.get("metric"):
            dimensions = [{"Name": name, "Value": value} for name, value in metric.get("dimensions", {}).items()]
            measured = {"Namespace": metric["namespace"], "MetricName": metric["metricName"], "Dimensions": dimensions}
            made["MetricStat"] = {"Metric": measured, "Period": metric["period"], "Stat": metric["stat"]}
        queries.append(made)
    return {"Metrics": queries} if queries else {}


def _query(aws: Aws, record: Record) -> Mapping[str, Any]:
    names = ("name", "queryString", "logGroupNames")
    id_ = aws("logs").put_query_definition(**{name: record.inputs[name] for name in names})["queryDefinitionId"]
    return {"id": id_, "queryDefinitionId": id_}


def _look_for_query(aws: Aws, record: Record) -> bool:
    found = aws("logs").describe_query_definitions()["queryDefinitions"]
    return any(query["queryDefinitionId"] == record.id for query in found)


def _topic(aws: Aws, record: Record) -> Mapping[str, Any]:
    sns = aws("sns")
    arn = sns.create_topic(Name=record.outputs["name"], Tags=tag_list(record))["TopicArn"]
    return {"id": arn, "arn": arn}


def _topic_policy(aws: Aws, record: Record) -> Mapping[str, Any]:
    topic = record.inputs["arn"]
    aws("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=record.inputs["policy"])
    return {"id": topic}


def _subscription(aws: Aws, record: Record) -> Mapping[str, Any]:
    arn = aws("sns").subscribe(
        TopicArn=record.inputs["topic"], **given(record, "protocol", "endpoint"), ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    return {"id": arn, "arn": arn}


MIRRORS: Mapping[str, Mirror] = {
    "aws:cloudwatch/dashboard:Dashboard": Mirror(
        _dashboard,
        lambda aws, record: aws("cloudwatch").delete_dashboards(DashboardNames=[record.id]),
        lambda aws, record: aws("cloudwatch").get_dashboard(DashboardName=record.id)["DashboardBody"],
        _dashboard,
    ),
    "aws:cloudwatch/logGroup:LogGroup": Mirror(
        _log_group,
        lambda aws, record: aws("logs").delete_log_group(logGroupName=record.id),
        lambda aws, record: any(
            group["logGroupName"] == record.id
            for group in aws("logs").describe_log_groups(logGroupNamePrefix=record.id)["logGroups"]
        ),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Mirror(
        _alarm,
        lambda aws, record: aws("cloudwatch").delete_alarms(AlarmNames=[record.id]),
        lambda aws, record: aws("cloudwatch").describe_alarms(AlarmNames=[record.id])["MetricAlarms"],
        _alarm,
    ),
    "aws:cloudwatch/queryDefinition:QueryDefinition": Mirror(
        _query,
        lambda aws, record: aws("logs").delete_query_definition(queryDefinitionId=record.id),
        _look_for_query,
    ),
    "aws:sns/topic:Topic": Mirror(
        _topic,
        lambda aws, record: aws("sns").delete_topic(TopicArn=record.id),
        lambda aws, record: aws("sns").get_topic_attributes(TopicArn=record.id)["Attributes"],
    ),
    # AWS knows no topic without a policy: it goes with its topic.
    "aws:sns/topicPolicy:TopicPolicy": Mirror(
        _topic_policy,
        lambda aws, record: None,
        lambda aws, record: aws("sns").get_topic_attributes(TopicArn=record.id)["Attributes"].get("Policy"),
    ),
    "aws:sns/topicSubscription:TopicSubscription": Mirror(
        _subscription,
        lambda aws, record: aws("sns").unsubscribe(SubscriptionArn=record.id),
        lambda aws, record: aws("sns").get_subscription_attributes(SubscriptionArn=record.id)["Attributes"],
    ),
}
