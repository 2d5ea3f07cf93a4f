"""Network of a stack in the stand-in: VPC, subnets, routes, gateways, endpoints and groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.deployment.local_cloud import Record
from tests.aws_stand_in.mirror import Aws, Mirror, ec2_arn, given, tagged


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
        "arn": ec2_arn(f"vpc/{vpc['VpcId']}"),
        "defaultSecurityGroupId": groups[0]["GroupId"],
        **ipv6,
    }


def _subnet(aws: Aws, record: Record) -> Mapping[str, Any]:
    subnet = aws("ec2").create_subnet(
        **given(record, "vpcId", "cidrBlock", "ipv6CidrBlock", "availabilityZone"),
        TagSpecifications=tagged("subnet", record),
    )["Subnet"]["SubnetId"]
    return {"id": subnet, "arn": ec2_arn(f"subnet/{subnet}")}


def _internet_gateway(aws: Aws, record: Record) -> Mapping[str, Any]:
    ec2 = aws("ec2")
    gateway = ec2.create_internet_gateway(TagSpecifications=tagged("internet-gateway", record))["InternetGateway"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=record.inputs["vpcId"])
    return {"id": gateway["InternetGatewayId"], "arn": ec2_arn(f"internet-gateway/{gateway['InternetGatewayId']}")}


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
    return {"id": id_, "arn": ec2_arn(f"route-table/{id_}")}


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
    return {"id": endpoint, "arn": ec2_arn(f"vpc-endpoint/{endpoint}")}


def _flow_log(aws: Aws, record: Record) -> Mapping[str, Any]:
    (flow_log,) = aws("ec2").create_flow_logs(
        ResourceIds=[record.inputs["vpcId"]],
        ResourceType="VPC",
        DeliverLogsPermissionArn=record.inputs["iamRoleArn"],
        **given(record, "trafficType", "logDestinationType", "logDestination"),
        TagSpecifications=tagged("vpc-flow-log", record),
    )["FlowLogIds"]
    return {"id": flow_log, "arn": ec2_arn(f"vpc-flow-log/{flow_log}")}


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
