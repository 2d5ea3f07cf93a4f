"""Security groups and their rules in the stand-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.deployment.local_cloud import Record
from tests.aws_stand_in.mirror import Aws, Mirror, ec2_arn, nothing, tagged


def _default_group(aws: Aws, record: Record) -> Mapping[str, Any]:
    ec2 = aws("ec2")
    filters = [{"Name": "vpc-id", "Values": [record.inputs["vpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    group = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    for specification in tagged("security-group", record):
        ec2.create_tags(Resources=[group], Tags=specification["Tags"])
    return {"id": group, "arn": ec2_arn(f"security-group/{group}")}


def _group(aws: Aws, record: Record) -> Mapping[str, Any]:
    group = aws("ec2").create_security_group(
        # LocalCloud gives no name where the program gives none; AWS wants one.
        GroupName=record.inputs.get("name", record.origin.physical_name),
        Description=record.inputs["description"],
        VpcId=record.inputs["vpcId"],
        TagSpecifications=tagged("security-group", record),
    )["GroupId"]
    ec2 = aws("ec2")
    # The provider of Pulumi takes away what AWS allows by itself.
    ec2.revoke_security_group_egress(
        GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    )
    return {"id": group, "arn": ec2_arn(f"security-group/{group}")}


def _permission(record: Record) -> dict[str, Any]:
    inputs = record.inputs
    ranges: dict[str, Any] = {}
    if "cidrIpv4" in inputs:
        ranges["IpRanges"] = [{"CidrIp": inputs["cidrIpv4"]}]
    if "cidrIpv6" in inputs:
        ranges["Ipv6Ranges"] = [{"CidrIpv6": inputs["cidrIpv6"]}]
    if "referencedSecurityGroupId" in inputs:
        ranges["UserIdGroupPairs"] = [{"GroupId": inputs["referencedSecurityGroupId"]}]
    if "prefixListId" in inputs:
        ranges["PrefixListIds"] = [{"PrefixListId": inputs["prefixListId"]}]
    return {"IpProtocol": inputs["ipProtocol"], "FromPort": inputs["fromPort"], "ToPort": inputs["toPort"], **ranges}


def _rule(direction: str) -> Mirror:
    def make(aws: Aws, record: Record) -> Mapping[str, Any]:
        authorize = getattr(aws("ec2"), f"authorize_security_group_{direction}")
        rule = authorize(
            GroupId=record.inputs["securityGroupId"],
            IpPermissions=[_permission(record)],
            TagSpecifications=tagged("security-group-rule", record),
        )["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        return {"id": rule, "arn": ec2_arn(f"security-group-rule/{rule}")}

    def remove(aws: Aws, record: Record) -> None:
        revoke = getattr(aws("ec2"), f"revoke_security_group_{direction}")
        revoke(GroupId=record.inputs["securityGroupId"], SecurityGroupRuleIds=[record.id])

    return Mirror(
        make,
        remove,
        look=lambda aws, record: any(
            rule["SecurityGroupRuleId"] == record.id
            for rule in aws("ec2").describe_security_group_rules(
                Filters=[{"Name": "group-id", "Values": [record.inputs["securityGroupId"]]}]
            )["SecurityGroupRules"]
        ),
    )


MIRRORS: Mapping[str, Mirror] = {
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Mirror(
        _default_group,
        nothing,
        lambda aws, record: aws("ec2").describe_security_groups(GroupIds=[record.id])["SecurityGroups"],
    ),
    "aws:ec2/securityGroup:SecurityGroup": Mirror(
        _group,
        lambda aws, record: aws("ec2").delete_security_group(GroupId=record.id),
        lambda aws, record: aws("ec2").describe_security_groups(GroupIds=[record.id])["SecurityGroups"],
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule("egress"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule("ingress"),
}
