"""Flow logs of the VPC: a record for each connection, accepted or rejected."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.policies import ServiceRole
from pypiserver_stack.common.tags import Tags


class FlowLogs(pulumi.ComponentResource):
    """A log group of its own, and a role that may write there and nowhere else."""

    def __init__(
        self,
        name: str,
        tags: Tags,
        *,
        vpc_id: pulumi.Input[str],
        retention_days: int,
        kms_key_arn: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:FlowLogs", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        logs = aws.cloudwatch.LogGroup(
            f"{name}-flow-logs",
            retention_in_days=retention_days,
            kms_key_id=kms_key_arn,
            tags=tags(f"{name}-flow-logs"),
            opts=child,
        )
        writer = ServiceRole(f"{name}-flow-logs", "vpc-flow-logs.amazonaws.com", self, tags)
        writer.allow(
            f"{name}-write-flow-logs",
            {
                "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                # The streams of this group, which AWS names after network interfaces.
                "Resource": pulumi.Output.concat(logs.arn, ":*"),
            },
            # The least that a flow log needs by AWS's documentation has this and logs:CreateLogGroup:
            # https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
            # Listing has no narrower resource than all groups, and shows their names alone; without it records might be
            # lost in silence. CreateLogGroup is left out: the group exists, and a late record could make it again after
            # a destroy, without retention.
            {
                "Action": "logs:DescribeLogGroups",
                "Resource": logs.arn.apply(lambda arn: f"{arn.partition(':log-group:')[0]}:log-group:*"),
            },
        )
        aws.ec2.FlowLog(
            name,
            vpc_id=vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=logs.arn,
            iam_role_arn=writer.role.arn,
            tags=tags(name),
            # Until its role may write, a flow log reports an error and drops what it has.
            opts=pulumi.ResourceOptions(parent=self, depends_on=writer.policies),
        )
        self.register_outputs({"log_group_name": logs.name})
