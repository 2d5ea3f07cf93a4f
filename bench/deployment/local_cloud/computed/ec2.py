"""What AWS computes for the network and the template of hosts."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import association, hex_id, with_arn
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _launch_template(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"lt-0{origin.digest[:16]}"
    name = inputs.get("name", origin.physical_name)
    return id_, {"name": name, "arn": origin.arn("ec2", f"launch-template/{id_}"), "latestVersion": origin.revision}


def _route(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    destination = inputs.get("destinationCidrBlock") or inputs["destinationIpv6CidrBlock"]
    return f"r-{inputs['routeTableId']}{destination}", {"state": "active", "origin": "CreateRoute"}


def _vpc(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"vpc-0{origin.digest[:16]}"
    computed = {
        "arn": origin.arn("ec2", f"vpc/{id_}"),
        "defaultSecurityGroupId": f"sg-0{origin.digest[:16]}",
    }
    if inputs.get("assignGeneratedIpv6CidrBlock"):
        computed["ipv6CidrBlock"] = f"2600:1f14:{origin.digest[:4]}:{origin.digest[4:6]}00::/56"
    return id_, computed


def _vpc_endpoint(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"vpce-0{origin.digest[:16]}"
    computed = {"arn": origin.arn("ec2", f"vpc-endpoint/{id_}")}
    if inputs.get("vpcEndpointType", "Gateway") == "Gateway":
        computed["prefixListId"] = f"pl-{origin.digest[:8]}"
    return id_, computed


RESOURCES: Mapping[str, Compute] = {
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": with_arn("sg", "ec2", "security-group"),
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": hex_id("eigw"),
    "aws:ec2/eip:Eip": hex_id("eipalloc"),
    "aws:ec2/flowLog:FlowLog": with_arn("fl", "ec2", "vpc-flow-log"),
    "aws:ec2/internetGateway:InternetGateway": with_arn("igw", "ec2", "internet-gateway"),
    "aws:ec2/launchTemplate:LaunchTemplate": _launch_template,
    "aws:ec2/natGateway:NatGateway": hex_id("nat"),
    "aws:ec2/route:Route": _route,
    "aws:ec2/routeTable:RouteTable": with_arn("rtb", "ec2", "route-table"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": association,
    "aws:ec2/securityGroup:SecurityGroup": with_arn("sg", "ec2", "security-group"),
    "aws:ec2/subnet:Subnet": with_arn("subnet", "ec2", "subnet"),
    "aws:ec2/vpc:Vpc": _vpc,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _vpc_endpoint,
}
