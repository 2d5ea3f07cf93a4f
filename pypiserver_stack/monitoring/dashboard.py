"""The CloudWatch dashboard."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from pypiserver_stack.monitoring.dashboard_rows import rows
from pypiserver_stack.monitoring.metrics import Metrics
from pypiserver_stack.monitoring.widgets import body
from pypiserver_stack.settings.groups.monitoring import MonitoringSettings
from sizing.capacity import TaskPlan


class Dashboard(pulumi.ComponentResource):
    """Service, single tasks, balancer, file system and hosts on one page, below the states of the alarms."""

    url: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: MonitoringSettings,
        plan: TaskPlan,
        *,
        metrics: Metrics,
        throughput_mode: str,
        alarm_arns: Sequence[pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:Dashboard", name, None, opts)
        region = aws.get_region_output(opts=pulumi.InvokeOutputOptions(parent=self)).region
        shown = rows(settings, plan, metrics, throughput_mode=throughput_mode, alarm_arns=alarm_arns)
        dashboard = aws.cloudwatch.Dashboard(
            name,
            # Pulumi makes no name for a dashboard. The cluster's is unique, and of letters that a dashboard's may have.
            dashboard_name=metrics.cluster_name,
            dashboard_body=pulumi.Output.json_dumps(body(shown, region)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.url = pulumi.Output.concat(
            *("https://", region, ".console.aws.amazon.com/cloudwatch/home?region=", region),
            *("#dashboards/dashboard/", dashboard.dashboard_name),
        )
        self.register_outputs({"url": self.url})
