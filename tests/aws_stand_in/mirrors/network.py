"""Network of a stack in the stand-in: VPC, subnets, routes, gateways, endpoints and groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.deployment.local_cloud import ACCOUNT_ID, REGION, Record
from tests.aws_stand_in.mirror import Aws, Mirror, given, nothing, tagged


def _arn(path: str) -> str:
    return f"arn:aws:ec2:{REGION}:{ACCOUNT_ID}:{path}"


def _vpc(aws: Aws, record: Record) -> Mapping[str, Any]:
    ec2 = aws("ec2")
    with_ipv6 = bool(record.inputs.get("assignGeneratedIpv6CidrBlock"))
    vpc = ec2.create_vpc(
        CidrBlock=record.inputs["cidrBlock"],
        AmazonProvidedIpv6CidrBlock=with_ipv6,
        TagSpecifications=tagged("vpc", record),
    )["Vpc"]
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["SecurityGroups"]
    ipv6 = {"ipv6CidrBlock": vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]} if with_ipv6 else {}
    return {
        "id": vpc["VpcId"],
        "arn": _arn(f"vpc/{vpc['VpcId']}"),
        "defaultSecurityGroupId": groups[0]["GroupId"],
        **ipv6,
    }


def _subnet(aws: Aws, record: Record) -> Mapping[str, Any]:
    subnet = aws("ec2").create_subnet(
        **given(record, "vpcId", "cidrBlock", "ipv6CidrBlock", "availabilityZone"),
        TagSpecifications=tagged("subnet", record),
    )["Subnet"]["SubnetId"]
    return {"id": subnet, "arn": _arn(f"subnet/{subnet}")}


def _default_group(aws: Aws, record: Record) -> Mapping[str, Any]:
    ec2 = aws("ec2")
    filters = [{"Name": "vpc-id", "Values": [record.inputs["vpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    group = ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
    for specification in tagged("security-group", record):
        ec2.create_tags(Resources=[group], Tags=specification["Tags"])
    return {"id": group, "arn": _arn(f"security-group/{group}")}


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
    return {"id": group, "arn": _arn(f"security-group/{group}")}


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
        return {"id": rule, "arn": _arn(f"security-group-rule/{rule}")}

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


def _internet_gateway(aws: Aws, record: Record) -> Mapping[str, Any]:
    ec2 = aws("ec2")
    gateway = ec2.create_internet_gateway(TagSpecifications=tagged("internet-gateway", record))["InternetGateway"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=record.inputs["vpcId"])
    return {"id": gateway["InternetGatewayId"], "arn": _arn(f"internet-gateway/{gateway['InternetGatewayId']}")}


def _remove_internet_gateway(aws: Aws, record: Record) -> None:
    aws("ec2").detach_internet_gateway(InternetGatewayId=record.id, VpcId=record.inputs["vpcId"])
    aws("ec2").delete_internet_gateway(InternetGatewayId=record.id)


def _egress_gateway(aws: Aws, record: Record) -> Mapping[str, Any]:
    gateway = aws("ec2").create_egress_only_internet_gateway(
        VpcId=record.inputs["vpcId"], TagSpecifications=tagged("egress-only-internet-gateway", record)
    )["EgressOnlyInternetGateway"]
    return {"id": gateway["EgressOnlyInternetGatewayId"]}


def _address(aws: Aws, record: Record) -> Mapping[str, Any]:
    address = aws("ec2").allocate_address(Domain="vpc", TagSpecifications=tagged("elastic-ip", record))
    return {"id": address["AllocationId"], "publicIp": address["PublicIp"]}


def _nat_gateway(aws: Aws, record: Record) -> Mapping[str, Any]:
    gateway = aws("ec2").create_nat_gateway(
        **given(record, "subnetId", "allocationId"), TagSpecifications=tagged("natgateway", record)
    )["NatGateway"]
    return {"id": gateway["NatGatewayId"]}


def _route_table(aws: Aws, record: Record) -> Mapping[str, Any]:
    table = aws("ec2").create_route_table(**given(record, "vpcId"), TagSpecifications=tagged("route-table", record))
    id_ = table["RouteTable"]["RouteTableId"]
    return {"id": id_, "arn": _arn(f"route-table/{id_}")}


_DESTINATION = {"destinationCidrBlock": "DestinationCidrBlock", "destinationIpv6CidrBlock": "DestinationIpv6CidrBlock"}


def _destination(record: Record) -> dict[str, Any]:
    return {name: record.inputs[key] for key, name in _DESTINATION.items() if key in record.inputs}


def _route(aws: Aws, record: Record) -> Mapping[str, Any]:
    ways = {"egressOnlyGatewayId": "EgressOnlyInternetGatewayId"}
    way = {name: record.inputs[key] for key, name in ways.items() if key in record.inputs}
    aws("ec2").create_route(**given(record, "routeTableId", "gatewayId", "natGatewayId"), **way, **_destination(record))
    return {}


def _look_for_route(aws: Aws, record: Record) -> bool:
    (table,) = aws("ec2").describe_route_tables(RouteTableIds=[record.inputs["routeTableId"]])["RouteTables"]
    return any(_destination(record).items() <= route.items() for route in table["Routes"])


def _association(aws: Aws, record: Record) -> Mapping[str, Any]:
    return {"id": aws("ec2").associate_route_table(**given(record, "routeTableId", "subnetId"))["AssociationId"]}


def _look_for_association(aws: Aws, record: Record) -> bool:
    filters = [{"Name": "association.route-table-association-id", "Values": [record.id]}]
    return bool(aws("ec2").describe_route_tables(Filters=filters)["RouteTables"])


def _endpoint(aws: Aws, record: Record) -> Mapping[str, Any]:
    endpoint = aws("ec2").create_vpc_endpoint(
        **given(record, "vpcEndpointType", "serviceName", "vpcId", "subnetIds", "routeTableIds", "privateDnsEnabled"),
        **given(record, "securityGroupIds"),
        TagSpecifications=tagged("vpc-endpoint", record),
    )["VpcEndpoint"]["VpcEndpointId"]
    return {"id": endpoint, "arn": _arn(f"vpc-endpoint/{endpoint}")}


def _flow_log(aws: Aws, record: Record) -> Mapping[str, Any]:
    (flow_log,) = aws("ec2").create_flow_logs(
        ResourceIds=[record.inputs["vpcId"]],
        ResourceType="VPC",
        DeliverLogsPermissionArn=record.inputs["iamRoleArn"],
        **given(record, "trafficType", "logDestinationType", "logDestination"),
        TagSpecifications=tagged("vpc-flow-log", record),
    )["FlowLogIds"]
    return {"id": flow_log, "arn": _arn(f"vpc-flow-log/{flow_log}")}


MIRRORS: Mapping[str, Mirror] = {
    "aws:ec2/vpc:Vpc": Mirror(
        _vpc,
        lambda aws, record: aws("ec2").delete_vpc(VpcId=record.id),
        lambda aws, record: aws("ec2").describe_vpcs(VpcIds=[record.id])["Vpcs"],
    ),
    "aws:ec2/subnet:Subnet": Mirror(
        _subnet,
        lambda aws, record: aws("ec2").delete_subnet(SubnetId=record.id),
        lambda aws, record: aws("ec2").describe_subnets(SubnetIds=[record.id])["Subnets"],
    ),
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
    "aws:ec2/internetGateway:InternetGateway": Mirror(
        _internet_gateway,
        _remove_internet_gateway,
        lambda aws, record: aws("ec2").describe_internet_gateways(InternetGatewayIds=[record.id])["InternetGateways"],
    ),
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": Mirror(
        _egress_gateway,
        lambda aws, record: aws("ec2").delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=record.id),
        lambda aws, record: aws("ec2").describe_egress_only_internet_gateways(EgressOnlyInternetGatewayIds=[record.id])[
            "EgressOnlyInternetGateways"
        ],
    ),
    "aws:ec2/eip:Eip": Mirror(
        _address,
        lambda aws, record: aws("ec2").release_address(AllocationId=record.id),
        lambda aws, record: aws("ec2").describe_addresses(AllocationIds=[record.id])["Addresses"],
    ),
    "aws:ec2/natGateway:NatGateway": Mirror(
        _nat_gateway,
        lambda aws, record: aws("ec2").delete_nat_gateway(NatGatewayId=record.id),
        lambda aws, record: any(
            gateway["State"] != "deleted"
            for gateway in aws("ec2").describe_nat_gateways(NatGatewayIds=[record.id])["NatGateways"]
        ),
    ),
    "aws:ec2/routeTable:RouteTable": Mirror(
        _route_table,
        lambda aws, record: aws("ec2").delete_route_table(RouteTableId=record.id),
        lambda aws, record: aws("ec2").describe_route_tables(RouteTableIds=[record.id])["RouteTables"],
    ),
    "aws:ec2/route:Route": Mirror(
        _route,
        lambda aws, record: aws("ec2").delete_route(RouteTableId=record.inputs["routeTableId"], **_destination(record)),
        _look_for_route,
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Mirror(
        _association,
        lambda aws, record: aws("ec2").disassociate_route_table(AssociationId=record.id),
        _look_for_association,
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Mirror(
        _endpoint,
        lambda aws, record: aws("ec2").delete_vpc_endpoints(VpcEndpointIds=[record.id]),
        lambda aws, record: any(
            endpoint["State"] != "deleted"
            for endpoint in aws("ec2").describe_vpc_endpoints(VpcEndpointIds=[record.id])["VpcEndpoints"]
        ),
    ),
    "aws:ec2/flowLog:FlowLog": Mirror(
        _flow_log,
        lambda aws, record: aws("ec2").delete_flow_logs(FlowLogIds=[record.id]),
        lambda aws, record: aws("ec2").describe_flow_logs(FlowLogIds=[record.id])["FlowLogs"],
    ),
}
