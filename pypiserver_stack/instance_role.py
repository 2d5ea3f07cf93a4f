"""What a host may do: be an ECS container instance, be reached through Session Manager, and report its metrics."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pypiserver_stack.policies import ServiceRole
from pypiserver_stack.settings import Settings
from pypiserver_stack.tags import Tags


def instance_profile(
    name: str, settings: Settings, cluster: aws.ecs.Cluster, parent: pulumi.Resource, tags: Tags
) -> aws.iam.InstanceProfile:
    """The profile of the hosts of one cluster.

    Neither AmazonEC2ContainerServiceforEC2Role nor AmazonSSMManagedInstanceCore: the one reaches every cluster and
    repository of the account, the other reads every SSM parameter that no key of its own protects.
    """
    role = ServiceRole(f"{name}-instance", "ec2.amazonaws.com", parent, tags)
    instances = pulumi.Output.concat(
        cluster.arn.apply(lambda arn: arn.replace(":cluster/", ":container-instance/")), "/*"
    )
    in_cluster = {"ArnEquals": {"ecs:cluster": cluster.arn}}
    role.allow(
        f"{name}-join-cluster",
        {
            "Action": [
                "ecs:RegisterContainerInstance",
                "ecs:DeregisterContainerInstance",
                "ecs:SubmitAttachmentStateChanges",
                "ecs:SubmitContainerStateChange",
                "ecs:SubmitTaskStateChange",
            ],
            "Resource": cluster.arn,
        },
        {
            "Action": ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"],
            "Resource": instances,
            "Condition": in_cluster,
        },
        # Tells where the endpoint is; AWS has no narrower resource for it.
        {"Action": "ecs:DiscoverPollEndpoint", "Resource": "*"},
    )
    role.allow(
        f"{name}-session-manager",
        {
            # Channels have no resource that a policy could name, and an instance reports itself alone: AWS holds the
            # caller's identity against it. Without ssm:GetParameter, which Run Command and sessions do not need.
            "Action": [
                "ssm:UpdateInstanceInformation",
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
                "ec2messages:AcknowledgeMessage",
                "ec2messages:DeleteMessage",
                "ec2messages:FailMessage",
                "ec2messages:GetEndpoint",
                "ec2messages:GetMessages",
                "ec2messages:SendReply",
            ],
            "Resource": "*",
        },
    )
    role.allow(
        f"{name}-report-metrics",
        # Metrics have no ARN; the namespace is what there is to narrow it by.
        {
            "Action": "cloudwatch:PutMetricData",
            "Resource": "*",
            "Condition": {"StringEquals": {"cloudwatch:namespace": "CWAgent"}},
        },
        # The CloudWatch agent learns the name of its Auto Scaling group from a tag; no Describe call takes a resource.
        {"Action": "ec2:DescribeTags", "Resource": "*"},
    )
    if settings.instance_extra_policy is not None:
        role.allow_document(f"{name}-extra", settings.instance_extra_policy)
    return aws.iam.InstanceProfile(
        name,
        role=role.role.name,
        tags=tags(name),
        # A host without its policies cannot join the cluster, and cannot leave it either.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=role.policies),
    )
