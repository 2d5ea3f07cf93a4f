"""The hosts: an ECS cluster on an Auto Scaling group of EC2 instances."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from pypiserver_stack.host import user_data
from pypiserver_stack.network import Network
from pypiserver_stack.policies import ServiceRole
from pypiserver_stack.settings import Settings
from pypiserver_stack.tags import Tags
from sizing.capacity import TaskPlan
from sizing.instances import Instance

AMI_PARAMETERS = {
    "x86_64": "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id",
    "arm64": "/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id",
}


class Fleet(pulumi.ComponentResource):
    """Cluster, launch template, Auto Scaling group and the capacity provider that joins them."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        plan: TaskPlan,
        instance: Instance,
        *,
        host_files: Mapping[str, pulumi.Input[str]],
        network: Network,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        Args:
            host_files: path to content of what is written to each host at boot.
        """
        super().__init__("pypiserver:index:Fleet", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = Tags(settings)
        self.cluster = aws.ecs.Cluster(
            name,
            settings=[aws.ecs.ClusterSettingArgs(name="containerInsights", value=settings.container_insights)],
            tags=self._tags(name),
            opts=self._child,
        )
        template = self._launch_template(name, plan, instance, host_files, network.instance_group.id)
        self.group = self._group(name, plan, template, network)
        self.capacity_provider = aws.ecs.CapacityProvider(
            name,
            auto_scaling_group_provider=aws.ecs.CapacityProviderAutoScalingGroupProviderArgs(
                auto_scaling_group_arn=self.group.arn,
                managed_scaling=aws.ecs.CapacityProviderAutoScalingGroupProviderManagedScalingArgs(
                    status="ENABLED", target_capacity=100
                ),
                managed_termination_protection="ENABLED",
                managed_draining="ENABLED",
            ),
            tags=self._tags(name),
            opts=self._child,
        )
        self.cluster_capacity_providers = aws.ecs.ClusterCapacityProviders(
            name,
            cluster_name=self.cluster.name,
            capacity_providers=[self.capacity_provider.name],
            default_capacity_provider_strategies=[
                aws.ecs.ClusterCapacityProvidersDefaultCapacityProviderStrategyArgs(
                    capacity_provider=self.capacity_provider.name, weight=1
                )
            ],
            opts=self._child,
        )
        self.register_outputs({"cluster_name": self.cluster.name, "asg_name": self.group.name})

    def _launch_template(
        self,
        name: str,
        plan: TaskPlan,
        instance: Instance,
        host_files: Mapping[str, pulumi.Input[str]],
        security_group_id: pulumi.Input[str],
    ) -> aws.ec2.LaunchTemplate:
        instance_role = ServiceRole(
            f"{name}-instance",
            "ec2.amazonaws.com",
            ["service-role/AmazonEC2ContainerServiceforEC2Role", "AmazonSSMManagedInstanceCore"],
            self,
            self._tags,
        )
        profile = aws.iam.InstanceProfile(
            name,
            role=instance_role.role.name,
            tags=self._tags(name),
            # A host without its policies cannot join the cluster, and cannot leave it either.
            opts=pulumi.ResourceOptions(parent=self, depends_on=instance_role.policies),
        )
        ami = aws.ssm.get_parameter_output(
            name=AMI_PARAMETERS[instance.architecture], opts=pulumi.InvokeOutputOptions(parent=self)
        )
        data = pulumi.Output.all(cluster_name=self.cluster.name, files=host_files).apply(
            lambda known: user_data(known["cluster_name"], plan.memory_for_tasks_mb, known["files"])
        )
        return aws.ec2.LaunchTemplate(
            name,
            image_id=ami.value,
            instance_type=plan.instance_type,
            iam_instance_profile=aws.ec2.LaunchTemplateIamInstanceProfileArgs(arn=profile.arn),
            vpc_security_group_ids=[security_group_id],
            metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=1
            ),
            block_device_mappings=[
                aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
                    device_name="/dev/xvda",
                    ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                        encrypted="true", volume_type="gp3", volume_size=30, delete_on_termination="true"
                    ),
                )
            ],
            user_data=data,
            tag_specifications=[
                aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=self._tags(name))
                for kind in ("instance", "volume")
            ],
            tags=self._tags(name),
            opts=self._child,
        )

    def _group(
        self,
        name: str,
        plan: TaskPlan,
        template: aws.ec2.LaunchTemplate,
        network: Network,
    ) -> aws.autoscaling.Group:
        group_tags = {**self._tags(name), "AmazonECSManaged": "true"}
        return aws.autoscaling.Group(
            name,
            min_size=plan.instance_min_count,
            max_size=plan.instance_max_count,
            vpc_zone_identifiers=network.private_subnet_ids,
            # The number, not $Latest: only a changed number tells AWS that hosts must be replaced.
            launch_template=aws.autoscaling.GroupLaunchTemplateArgs(
                id=template.id, version=template.latest_version.apply(str)
            ),
            instance_refresh=aws.autoscaling.GroupInstanceRefreshArgs(
                strategy="Rolling",
                preferences=aws.autoscaling.GroupInstanceRefreshPreferencesArgs(
                    min_healthy_percentage=100, scale_in_protected_instances="Refresh"
                ),
            ),
            protect_from_scale_in=True,  # a condition of the capacity provider's managed termination protection
            force_delete=True,  # protected instances would keep the group from ever reaching zero
            tags=[
                aws.autoscaling.GroupTagArgs(key=key, value=value, propagate_at_launch=True)
                for key, value in group_tags.items()
            ],
            opts=pulumi.ResourceOptions(
                parent=self,
                ignore_changes=["desiredCapacity"],  # the capacity provider owns it
                # Its hosts need every route and rule from their first minute, to join the cluster, to their last, to be
                # told to stop their tasks: a destroy that took the way out first would wait for them in vain.
                depends_on=[network],
            ),
        )
