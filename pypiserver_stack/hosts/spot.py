"""Spot Instances of the Auto Scaling group."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pypiserver_stack.settings.groups.hosts import HostSettings
from sizing.capacity import TaskPlan


def spot_policy(
    settings: HostSettings, plan: TaskPlan, template_id: pulumi.Input[str], version: pulumi.Input[str]
) -> aws.autoscaling.GroupMixedInstancesPolicyArgs:
    """On-demand instances up to the base, Spot above it. The one instance type that was sized for, in every zone."""
    return aws.autoscaling.GroupMixedInstancesPolicyArgs(
        launch_template=aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateArgs(
            launch_template_specification=aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateLaunchTemplateSpecificationArgs(
                launch_template_id=template_id, version=version
            ),
            overrides=[
                aws.autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArgs(instance_type=plan.instance_type)
            ],
        ),
        instances_distribution=aws.autoscaling.GroupMixedInstancesPolicyInstancesDistributionArgs(
            on_demand_base_capacity=settings.spot_on_demand_base_count,
            on_demand_percentage_above_base_capacity=0,
            spot_allocation_strategy="price-capacity-optimized",
        ),
    )
