"""VPC endpoints of AWS's services."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags

INTERFACE_SERVICES = (
    "ec2",  # the CloudWatch agent reads the tags of its host
    "ec2messages",
    "ecr.api",
    "ecr.dkr",
    "ecs",
    "ecs-agent",
    "ecs-telemetry",
    "logs",
    "monitoring",
    "secretsmanager",
    "ssm",
    "ssmmessages",
)
"""Services that instances and tasks call. The file system is not among them: its mount targets are in the VPC."""


class S3Endpoint(pulumi.ComponentResource):
    """The gateway endpoint of S3, which costs nothing: layers of images in ECR and the host's packages come from there.

    It has no policy of its own, so it allows what IAM allows: the buckets behind ECR, SSM and Amazon Linux are AWS's,
    and their names differ by region.
    """

    def __init__(
        self,
        name: str,
        tags: Tags,
        *,
        vpc_id: pulumi.Input[str],
        route_table_ids: Sequence[pulumi.Input[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:S3Endpoint", name, None, opts)
        self.endpoint = aws.ec2.VpcEndpoint(
            f"{name}-s3",
            vpc_id=vpc_id,
            vpc_endpoint_type="Gateway",
            service_name=_service_name("s3", self),
            route_table_ids=list(route_table_ids),
            tags=tags(f"{name}-s3"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.prefix_list_id = self.endpoint.prefix_list_id
        self.register_outputs({"prefix_list_id": self.prefix_list_id})


class InterfaceEndpoints(pulumi.ComponentResource):
    """One in each private subnet for every service: what hosts without NAT can call."""

    def __init__(
        self,
        name: str,
        tags: Tags,
        *,
        vpc_id: pulumi.Input[str],
        subnet_ids: Sequence[pulumi.Input[str]],
        security_group_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:InterfaceEndpoints", name, None, opts)
        for service in INTERFACE_SERVICES:
            endpoint = f"{name}-{service.replace('.', '-')}"
            aws.ec2.VpcEndpoint(
                endpoint,
                vpc_id=vpc_id,
                vpc_endpoint_type="Interface",
                service_name=_service_name(service, self),
                # The services' usual names then lead here: neither agents nor tasks need to know.
                private_dns_enabled=True,
                subnet_ids=list(subnet_ids),
                security_group_ids=[security_group_id],
                tags=tags(endpoint),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})


def _service_name(service: str, parent: pulumi.Resource) -> pulumi.Output[str]:
    region = aws.get_region_output(opts=pulumi.InvokeOutputOptions(parent=parent)).region
    return pulumi.Output.concat("com.amazonaws.", region, ".", service)
