"""ECS cluster on an Auto Scaling group of EC2 instances."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.hosts.instance_role import instance_profile
from pypiserver_stack.hosts.launch_template import launch_template
from pypiserver_stack.network import Network
from pypiserver_stack.settings.groups.hosts import HostSettings
from sizing.capacity import TaskPlan
from sizing.instances import Instance

# From its launch, when a host has booted, registered with ECS and may be given tasks.
INSTANCE_WARMUP_S = 120


class Fleet(pulumi.ComponentResource):
    """Cluster, launch template, Auto Scaling group and the capacity provider that joins them."""

    def __init__(
        self,
        name: str,
        settings: HostSettings,
        tags: Tags,
        plan: TaskPlan,
        instance: Instance,
        *,
        container_insights: str,
        host_files: Mapping[str, pulumi.Input[str]],
        network: Network,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        Args:
            container_insights: CloudWatch's mode of that name.
            host_files: path to content of what is written to each host at boot.
        """
        super().__init__("pypiserver:index:Fleet", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = tags
        self.cluster = aws.ecs.Cluster(
            name,
            settings=[{"name": "containerInsights", "value": container_insights}],
            tags=self._tags(name),
            opts=self._child,
        )
        template = launch_template(
            name,
            settings,
            tags,
            plan,
            instance,
            cluster_name=self.cluster.name,
            profile=instance_profile(name, settings, self.cluster, self, tags),
            security_group_id=network.instance_group.id,
            host_files=host_files,
            parent=self,
        )
        self.group = self._group(name, settings, plan, template, network)
        self.capacity_provider = aws.ecs.CapacityProvider(
            name,
            auto_scaling_group_provider={
                "auto_scaling_group_arn": self.group.arn,
                "managed_scaling": {
                    "status": "ENABLED",
                    "target_capacity": 100,
                    # As many at once as a burst of new tasks needs. ECS asks again only once they have warmed up.
                    "minimum_scaling_step_size": 1,
                    "maximum_scaling_step_size": plan.instance_max_count,
                    "instance_warmup_period": INSTANCE_WARMUP_S,
                },
                # Its conditions are managed scaling and the group's protection from scaling in.
                "managed_termination_protection": "ENABLED",
                "managed_draining": "ENABLED",
            },
            tags=self._tags(name),
            opts=self._child,
        )
        self.cluster_capacity_providers = aws.ecs.ClusterCapacityProviders(
            name,
            cluster_name=self.cluster.name,
            capacity_providers=[self.capacity_provider.name],
            default_capacity_provider_strategies=[{"capacity_provider": self.capacity_provider.name, "weight": 1}],
            opts=self._child,
        )
        self.register_outputs({"cluster_name": self.cluster.name, "asg_name": self.group.name})

    def _group(
        self, name: str, settings: HostSettings, plan: TaskPlan, template: aws.ec2.LaunchTemplate, network: Network
    ) -> aws.autoscaling.Group:
        group_tags = {**self._tags(name), "AmazonECSManaged": "true"}
        # The number, not $Latest: only a changed number tells AWS that hosts must be replaced.
        version = template.latest_version.apply(str)
        spot = settings.spot_enabled
        return aws.autoscaling.Group(
            name,
            min_size=plan.instance_min_count,
            max_size=plan.instance_max_count,
            vpc_zone_identifiers=network.private_subnet_ids,
            launch_template=None if spot else {"id": template.id, "version": version},
            mixed_instances_policy=_spot_policy(settings, plan, template.id, version) if spot else None,
            # A Spot Instance at risk is replaced before its two minutes begin; the capacity provider's termination hook
            # drains it like any other that the group terminates.
            capacity_rebalance=spot,
            default_instance_warmup=INSTANCE_WARMUP_S,
            # A new host first, then an old one is drained and terminated, whatever the reason.
            instance_maintenance_policy={"min_healthy_percentage": 100, "max_healthy_percentage": 110},
            instance_refresh={
                "strategy": "Rolling",
                # Hosts of a zone that is left are protected from scaling in: the group would never move them. The name
                # is that of the Terraform provider, to which it is passed on as it is.
                "triggers": ["vpc_zone_identifier"],
                "preferences": {
                    # The provider would send its own defaults, not the group's policy.
                    "min_healthy_percentage": 100,
                    "max_healthy_percentage": 110,
                    "instance_warmup": str(INSTANCE_WARMUP_S),
                    "scale_in_protected_instances": "Refresh",
                    # No rollback: AWS goes back to what the group had when the refresh began, and the provider gives it
                    # the new template before that.
                },
            },
            # ECS owns the number of hosts: a change of the fewest would wait for just as many as the state remembers.
            # A capacity provider, too, wants to be there before the hosts that it is for.
            wait_for_capacity_timeout="0",
            protect_from_scale_in=True,
            force_delete=True,  # protected instances would keep the group from ever reaching zero
            tags=[{"key": key, "value": value, "propagate_at_launch": True} for key, value in group_tags.items()],
            opts=pulumi.ResourceOptions(
                parent=self,
                ignore_changes=["desiredCapacity"],  # the capacity provider owns it
                # Its hosts need every route and rule from their first minute, to join the cluster, to their last, to be
                # drained: a destroy that took the way out first would wait for them in vain.
                depends_on=[network],
            ),
        )


def _spot_policy(
    settings: HostSettings, plan: TaskPlan, template_id: pulumi.Input[str], version: pulumi.Input[str]
) -> aws.autoscaling.GroupMixedInstancesPolicyArgsDict:
    """On-demand instances up to the base, Spot above it. The one instance type that was sized for, in every zone."""
    return {
        "launch_template": {
            "launch_template_specification": {"launch_template_id": template_id, "version": version},
            "overrides": [{"instance_type": plan.instance_type}],
        },
        "instances_distribution": {
            "on_demand_base_capacity": settings.spot_on_demand_base_count,
            "on_demand_percentage_above_base_capacity": 0,
            "spot_allocation_strategy": "price-capacity-optimized",
        },
    }
