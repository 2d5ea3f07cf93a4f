"""CloudWatch alarms and their actions."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.monitoring.alarm_table import Alarm, alarms
from pypiserver_stack.monitoring.alarm_topic import AlarmTopic
from pypiserver_stack.monitoring.metrics import Metrics
from pypiserver_stack.settings.groups.monitoring import AlarmName, MonitoringSettings
from sizing.capacity import TaskPlan
from sizing.instances import Instance

RUNBOOKS = "docs/operations.md"


class Alarms(pulumi.ComponentResource):
    """CloudWatch alarms, each with a description that says what to do and where its runbook is.

    A topic is made where there are addresses to notify: without them its key would cost money for nothing. Alarms
    notify given topics directly.
    """

    topic_arn: pulumi.Output[str] | None
    arns: list[pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: MonitoringSettings,
        tags: Tags,
        plan: TaskPlan,
        instance: Instance,
        *,
        metrics: Metrics,
        throughput_mode: str,
        certificate_arn: pulumi.Input[str] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:Alarms", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = tags
        table = alarms(
            settings, plan, instance, metrics, throughput_mode=throughput_mode, certificate_arn=certificate_arn
        )
        actions: list[pulumi.Input[str]] = list(settings.alarm_topic_arns)
        self.topic_arn = None
        if table and settings.alarm_emails:
            self.topic_arn = AlarmTopic(name, settings.alarm_emails, tags, opts=self._child).arn
            actions.append(self.topic_arn)
        self.arns = [self._alarm(name, settings, alarm, actions).arn for alarm in table]
        self.register_outputs({"topic_arn": self.topic_arn, "arns": self.arns})

    def _alarm(
        self, name: str, settings: MonitoringSettings, alarm: Alarm, actions: list[pulumi.Input[str]]
    ) -> aws.cloudwatch.MetricAlarm:
        logical_name = f"{name}-{alarm.name.replace('_', '-')}"
        percentile = alarm.statistic.startswith("p")
        return aws.cloudwatch.MetricAlarm(
            logical_name,
            alarm_description=f"{alarm.advice} Runbook: {runbook(settings, alarm.name)}",
            namespace=alarm.metric.namespace,
            metric_name=alarm.metric.name,
            dimensions=alarm.metric.dimensions,
            statistic=None if percentile else alarm.statistic,
            extended_statistic=alarm.statistic if percentile else None,
            # CloudWatch's "ignore" would wait for 200 requests in a period, which a small team never makes.
            evaluate_low_sample_count_percentiles="evaluate" if percentile else None,
            comparison_operator=alarm.comparison,
            threshold=alarm.threshold,
            evaluation_periods=alarm.periods,
            datapoints_to_alarm=alarm.periods,
            period=alarm.period_s,
            treat_missing_data=alarm.missing_data,
            alarm_actions=actions,
            ok_actions=actions,
            tags=self._tags(logical_name),
            opts=self._child,
        )


def runbook(settings: MonitoringSettings, name: AlarmName) -> str:
    """Address of an alarm's runbook: a URL if the operations page is published, else the file of this repository."""
    return f"{settings.alarm_runbook_url or RUNBOOKS}#{name.replace('_', '-')}"
