"""One resource of each kind that matters, made through boto3 alone: quicker than a stack, and with no state at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.deployment.aws.run_tags import RunTags
from bench.deployment.local_cloud import REGION
from tests.aws_stand_in.clients import client
from tests.aws_stand_in.inventory import inventory


@dataclass(frozen=True)
class SmallAccount:
    """What was made."""

    before: frozenset[str]

    def gone(self) -> bool:
        """Whether all is as it was before."""
        return inventory() == self.before


def make(tags: RunTags) -> SmallAccount:
    """A network with a cluster and its hosts, files, a bucket, a log group, a certificate and a role, of a run."""
    before = inventory()
    pairs = [{"Key": key, "Value": value} for key, value in tags.as_tags().items()]
    name = f"pypiserver-{tags.run}"
    _network(name, pairs)
    _compute(name, pairs)
    client("efs").create_file_system(CreationToken=name, Tags=pairs)
    s3 = client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs})
    client("logs").create_log_group(logGroupName=name, tags=tags.as_tags())
    client("acm").request_certificate(DomainName=f"{tags.run}.example.com", Tags=pairs)
    client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=pairs)
    return SmallAccount(before)


TRUST = '{"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}}]}'


def _network(name: str, pairs: Sequence[Mapping[str, str]]) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": pairs}])
    vpc_id = vpc["Vpc"]["VpcId"]
    ec2.create_subnet(
        VpcId=vpc_id, CidrBlock="10.0.0.0/24", TagSpecifications=[{"ResourceType": "subnet", "Tags": pairs}]
    )
    group = {"ResourceType": "security-group", "Tags": pairs}
    for part in ("one", "other"):
        ec2.create_security_group(GroupName=f"{name}-{part}", Description=part, VpcId=vpc_id, TagSpecifications=[group])


def _compute(name: str, pairs: Sequence[Mapping[str, str]]) -> None:
    ec2, ecs, scaling = client("ec2"), client("ecs"), client("autoscaling")
    small = [{"key": pair["Key"], "value": pair["Value"]} for pair in pairs]
    ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.micro"},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": pairs}],
    )
    of_group = {"ResourceId": name, "ResourceType": "auto-scaling-group", "PropagateAtLaunch": True}
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        LaunchTemplate={"LaunchTemplateName": name, "Version": "1"},
        MinSize=0,
        MaxSize=2,
        AvailabilityZones=[f"{REGION}a"],
        NewInstancesProtectedFromScaleIn=True,
        Tags=[{**of_group, **pair} for pair in pairs],
    )
    (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    ecs.create_capacity_provider(
        name=name, autoScalingGroupProvider={"autoScalingGroupArn": group["AutoScalingGroupARN"]}, tags=small
    )
    ecs.create_cluster(clusterName=name, capacityProviders=[name], tags=small)
