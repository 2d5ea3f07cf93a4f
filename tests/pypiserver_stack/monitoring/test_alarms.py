"""Alarms: when each goes into ALARM, its description, and who is notified."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bench.deployment.graph import Graph
from pypiserver_stack.hosts.plan import plan_capacity
from pypiserver_stack.monitoring.alarm_table import Alarm, alarms
from pypiserver_stack.monitoring.metrics import Metrics
from pypiserver_stack.settings.groups.monitoring import ALARM_NAMES
from tests.pypiserver_stack.support.evaluation import evaluated
from tests.pypiserver_stack.support.plain_settings import plain_settings

ALARM, TOPIC = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:sns/topic:Topic"
CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/0a1b2c3d"
MAIL = "alarm_emails=ops@wheels.example,night+shift@wheels.example"
PAGER = "arn:aws:sns:us-west-2:210987654321:pager"
METRICS = Metrics(
    cluster_name="cluster",
    service_name="service",
    load_balancer="app/name/0a",
    target_group="targetgroup/name/0b",
    file_system_id="fs-0c",
    asg_name="group",
)


def table(certificate_arn: str | None = CERTIFICATE, **config: str) -> dict[str, Alarm]:
    settings = plain_settings(config)
    instance, plan = plan_capacity(settings)
    mode = settings.efs_throughput_mode
    made = alarms(settings, plan, instance, METRICS, throughput_mode=mode, certificate_arn=certificate_arn)
    return {alarm.name: alarm for alarm in made}


def rings(alarm: Alarm) -> tuple[str, str, str, float, int, str]:
    """In the words of CloudWatch: when it goes off."""
    signs = {"GreaterThanThreshold": ">", "GreaterThanOrEqualToThreshold": ">=", "LessThanThreshold": "<"}
    minutes = alarm.periods * alarm.period_s // 60
    sign = signs[alarm.comparison]
    return alarm.metric.name, alarm.statistic, sign, alarm.threshold, minutes, alarm.missing_data


def test_when_each_alarm_rings() -> None:
    found = table(efs_throughput_mode="bursting")
    assert {name: rings(alarm) for name, alarm in found.items()} == {
        "no_running_task": ("RunningTaskCount", "Maximum", "<", 1, 3, "breaching"),
        "unhealthy_targets": ("UnHealthyHostCount", "Maximum", ">", 0, 5, "notBreaching"),
        "target_5xx": ("HTTPCode_Target_5XX_Count", "Sum", ">=", 10, 5, "notBreaching"),
        "balancer_5xx": ("HTTPCode_ELB_5XX_Count", "Sum", ">=", 10, 5, "notBreaching"),
        "response_time": ("TargetResponseTime", "p95", ">", 2, 15, "notBreaching"),
        "service_memory": ("MemoryUtilization", "Maximum", ">", 106.67, 10, "notBreaching"),
        "service_cpu": ("CPUUtilization", "Average", ">", 70, 15, "notBreaching"),
        "host_swap": ("swap_used_percent", "Maximum", ">", 5, 15, "missing"),
        "cpu_credits": ("CPUCreditBalance", "Minimum", "<", 1, 60, "ignore"),
        "efs_io_limit": ("PercentIOLimit", "Average", ">", 80, 15, "notBreaching"),
        "efs_burst_credits": ("BurstCreditBalance", "Minimum", "<", 1e12, 15, "ignore"),
        "certificate_expiry": ("DaysToExpiry", "Minimum", "<", 30, 1440, "ignore"),
    }
    assert tuple(found) == ALARM_NAMES


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("target_5xx", "alarm_target_5xx_count", 7),
        ("balancer_5xx", "alarm_balancer_5xx_count", 7),
        ("response_time", "alarm_response_time_p95_s", 7),
        ("service_cpu", "alarm_cpu_percent", 7),
        ("host_swap", "alarm_host_swap_percent", 7),
        ("efs_io_limit", "alarm_efs_io_limit_percent", 7),
        ("efs_burst_credits", "alarm_efs_burst_credit_bytes", 7),
        ("certificate_expiry", "alarm_certificate_days", 7),
    ],
)
def test_a_threshold_is_its_setting(name: str, key: str, value: float) -> None:
    changed = table(efs_throughput_mode="bursting", **{key: str(value)})
    unchanged = table(efs_throughput_mode="bursting")
    assert changed[name].threshold == value
    assert {n: a.threshold for n, a in changed.items() if n != name} == {
        n: a.threshold for n, a in unchanged.items() if n != name
    }


@pytest.mark.parametrize(
    ("percent", "limit_mb", "reservation_mb", "threshold"),
    [
        # What is measured is percent of the reservation; what kills is the limit.
        ("80", "512", "384", 106.67),
        ("80", "512", "512", 80),
        ("90", "1024", "512", 180),
        ("100", "512", "384", 133.33),
    ],
)
def test_memory_is_watched_against_the_limit(
    percent: str, limit_mb: str, reservation_mb: str, threshold: float
) -> None:
    found = table(
        alarm_memory_percent=percent,
        container_memory_mb=limit_mb,
        container_memory_reservation_mb=reservation_mb,
        instance_type="c6a.xlarge",
    )
    assert found["service_memory"].threshold == threshold
    assert f"{percent} % of its {limit_mb} MB" in found["service_memory"].advice


def test_an_undersized_deployment_is_told_what_to_raise() -> None:
    advice = table(profile="light")["service_memory"].advice
    assert all(word in advice for word in ("container_memory_mb", "512", "instance_type", "t3.micro", "256 MB"))


def test_alarms_are_there_where_they_mean_something() -> None:
    assert "efs_burst_credits" in table(efs_throughput_mode="bursting")
    assert "efs_burst_credits" not in table(efs_throughput_mode="elastic")
    assert "efs_burst_credits" not in table(efs_throughput_mode="provisioned", efs_provisioned_throughput_mibps="64")
    assert "cpu_credits" in table(instance_type="t3.small")
    assert "cpu_credits" not in table(instance_type="c6a.xlarge")
    assert "certificate_expiry" not in table(None)


def test_without_container_insights_the_balancer_counts_the_tasks() -> None:
    alarm = table(container_insights="disabled")["no_running_task"]
    assert rings(alarm) == ("HealthyHostCount", "Maximum", "<", 1, 3, "breaching")


@pytest.mark.parametrize("name", ALARM_NAMES)
def test_each_alarm_can_be_switched_off(name: str) -> None:
    everything = set(table(efs_throughput_mode="bursting"))
    assert set(table(efs_throughput_mode="bursting", alarms_off=name)) == everything - {name}


def test_an_alarm_as_cloudwatch_is_given_it() -> None:
    graph = evaluated("stress", (MAIL, f"alarm_topic_arns={PAGER}")).graph
    topic = graph.one(TOPIC)
    given = {alarm.name: dict(alarm.inputs) for alarm in graph.of_type(ALARM)}["pypiserver-response-time"]
    tags = given.pop("tags")
    assert tags["Name"] == "pypiserver-response-time"
    description = given.pop("alarmDescription")
    assert description.startswith("One request in twenty waits too long.")
    assert description.endswith(" Runbook: docs/operations.md#response-time")
    assert given == {
        "namespace": "AWS/ApplicationELB",
        "metricName": "TargetResponseTime",
        "dimensions": {
            "LoadBalancer": graph.one("aws:lb/loadBalancer:LoadBalancer").outputs["arnSuffix"],
            "TargetGroup": graph.one("aws:lb/targetGroup:TargetGroup").outputs["arnSuffix"],
        },
        "extendedStatistic": "p95",
        "evaluateLowSampleCountPercentiles": "evaluate",
        "comparisonOperator": "GreaterThanThreshold",
        "threshold": 2,
        "period": 300,
        "evaluationPeriods": 3,
        "datapointsToAlarm": 3,
        "treatMissingData": "notBreaching",
        "alarmActions": [PAGER, topic.outputs["arn"]],
        "okActions": [PAGER, topic.outputs["arn"]],
    }


@pytest.mark.parametrize("overrides", [(), (MAIL, "efs_throughput_mode=bursting", "profile=medium")], ids=str)
def test_cloudwatch_takes_every_alarm(overrides: tuple[str, ...]) -> None:
    for alarm in evaluated("stress", overrides).graph.of_type(ALARM):
        given = alarm.inputs
        assert len(given["alarmDescription"]) <= 1024
        assert ("statistic" in given) != ("extendedStatistic" in given)
        assert given["period"] in (10, 30) or given["period"] % 60 == 0
        # Looking back further than a day takes periods of an hour at least.
        assert given["period"] * given["evaluationPeriods"] <= 86400
        assert len(given["alarmActions"]) <= 5


def test_alarms_are_the_outputs() -> None:
    deployment = evaluated("stress", (MAIL,))
    arns = {alarm.outputs["arn"] for alarm in deployment.graph.of_type(ALARM)}
    assert len(arns) == 9
    assert set(deployment.outputs["cloudwatch_alarm_arns"]) == arns
    assert deployment.outputs["cloudwatch_alarm_sns_topic_arn"] == deployment.graph.one(TOPIC).outputs["arn"]


def count(graph: Graph) -> dict[str, int]:
    types_ = (
        TOPIC,
        "aws:kms/key:Key",
        "aws:sns/topicPolicy:TopicPolicy",
        "aws:sns/topicSubscription:TopicSubscription",
    )
    return {kind.rsplit(":", 1)[1]: len(list(graph.of_type(kind))) for kind in types_}


def test_a_topic_is_made_for_those_who_are_to_be_told() -> None:
    addressed = evaluated("stress", (MAIL,)).graph
    assert count(addressed) == {"Topic": 1, "Key": 1, "TopicPolicy": 1, "TopicSubscription": 2}
    subscriptions = list(addressed.of_type("aws:sns/topicSubscription:TopicSubscription"))
    assert {(s.inputs["protocol"], s.inputs["endpoint"]) for s in subscriptions} == {
        ("email", "ops@wheels.example"),
        ("email", "night+shift@wheels.example"),
    }
    assert {s.inputs["topic"] for s in subscriptions} == {addressed.one(TOPIC).outputs["arn"]}


@pytest.mark.parametrize(
    ("overrides", "actions"),
    [
        ((), []),
        ((f"alarm_topic_arns={PAGER}",), [PAGER]),
        ((MAIL, "alarms_off=" + ",".join(ALARM_NAMES)), []),
    ],
    ids=["nobody", "a topic of theirs", "no alarm"],
)
def test_no_topic_is_made_that_tells_nobody(overrides: tuple[str, ...], actions: list[str]) -> None:
    deployment = evaluated("stress", overrides)
    assert set(count(deployment.graph).values()) == {0}
    assert deployment.outputs.get("cloudwatch_alarm_sns_topic_arn") is None
    for alarm in deployment.graph.of_type(ALARM):
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == actions


def test_another_address_leaves_the_first_ones_confirmed() -> None:
    """A subscription that is made anew has to be confirmed anew."""

    def urns(addresses: str) -> set[str]:
        graph = evaluated("stress", (f"alarm_emails={addresses}",)).graph
        return {s.urn for s in graph.of_type("aws:sns/topicSubscription:TopicSubscription")}

    assert urns("new@wheels.example,ops@wheels.example") > urns("ops@wheels.example")


def statements(document: str) -> dict[str, dict[str, Any]]:
    return {statement.pop("Sid"): statement for statement in json.loads(document)["Statement"]}


FROM_ALARMS_OF_THIS_ACCOUNT = {
    "StringEquals": {"aws:SourceAccount": "123456789012"},
    "ArnLike": {"aws:SourceArn": "arn:*:cloudwatch:*:123456789012:alarm:*"},
}


def test_cloudwatch_can_publish_to_the_encrypted_topic() -> None:
    graph = evaluated("stress", (MAIL,)).graph
    key, topic = graph.one("aws:kms/key:Key"), graph.one(TOPIC)
    assert topic.inputs["kmsMasterKeyId"] == key.outputs["arn"]
    assert key.inputs["enableKeyRotation"] is True
    assert statements(key.inputs["policy"]) == {
        "ManagedByThisAccount": {
            "Effect": "Allow",
            "Principal": {"AWS": "123456789012"},
            "Action": "kms:*",
            "Resource": "*",
        },
        "UsedByAlarms": {
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": FROM_ALARMS_OF_THIS_ACCOUNT,
        },
    }


def test_nobody_but_alarms_of_this_account_is_admitted_to_the_topic() -> None:
    graph = evaluated("stress", (MAIL,)).graph
    policy, arn = graph.one("aws:sns/topicPolicy:TopicPolicy"), graph.one(TOPIC).outputs["arn"]
    assert policy.inputs["arn"] == arn
    found = statements(policy.inputs["policy"])
    assert {sid: s["Effect"] for sid, s in found.items()} == {
        "PublishedToByAlarms": "Allow",
        "EncryptedOnTheWay": "Deny",
    }
    assert found["PublishedToByAlarms"] == {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": arn,
        "Condition": FROM_ALARMS_OF_THIS_ACCOUNT,
    }


def test_runbooks_are_linked_to_where_they_are_published() -> None:
    graph = evaluated("stress", ("alarm_runbook_url=https://wheels.example/docs/operations",)).graph
    alarm = {alarm.name: alarm for alarm in graph.of_type(ALARM)}["pypiserver-host-swap"]
    assert alarm.inputs["alarmDescription"].endswith("Runbook: https://wheels.example/docs/operations#host-swap")
