"""Kinds that are EC2's: the network, and the template of instances."""

from __future__ import annotations

from collections.abc import Iterator

from bench.deployment.aws.sweep.clients import ServiceClients
from bench.deployment.aws.sweep.kind import Remove, ResourceKind
from bench.deployment.aws.sweep.lists import Lists
from bench.deployment.aws.sweep.resource import Presence, RunResource, Sighting, key_value_tags
from bench.deployment.aws.sweep.states import presence_by_state
from sizing.cost import prices


def _simple(name: str, words: str, operation: str, key: str, ids: str, remove: Remove, costs: str = "") -> ResourceKind:
    """A kind that EC2 lists and describes in the same way, and that has no states.

    Args:
        words: those of the AWS CLI, such as `delete-subnet --subnet-id`.
        operation: describes them, under `key`, by `ids`.
        costs: name of the price of an hour.
    """
    id_ = ids.removesuffix("s")

    def find(lists: Lists) -> Iterator[Sighting]:
        usd = prices()[costs].usd if costs else 0.0
        for found in lists.of_ec2(operation, key):
            yield Sighting(found[id_], key_value_tags(found.get("Tags", ())), usd_per_hour=usd)

    return ResourceKind(
        name,
        find,
        lambda aws, resource: getattr(aws("ec2"), operation)(**{ids: [resource.id]})[key],
        remove,
        f"aws ec2 {words} {{id}}",
    )


def _nat_gateways(lists: Lists) -> Iterator[Sighting]:
    price = prices()["nat_gateway_hour"].usd
    for gateway in lists.of_ec2("describe_nat_gateways", "NatGateways"):
        yield Sighting(
            gateway["NatGatewayId"],
            key_value_tags(gateway.get("Tags", ())),
            made_at=gateway["CreateTime"],
            usd_per_hour=price,
        )


def _look_at_nat_gateway(aws: ServiceClients, gateway: RunResource) -> Presence:
    (found,) = aws("ec2").describe_nat_gateways(NatGatewayIds=[gateway.id])["NatGateways"]
    return presence_by_state(found["State"], gone=("deleted",))


def _endpoints(lists: Lists) -> Iterator[Sighting]:
    price = prices()["endpoint_hour"].usd
    for endpoint in lists.of_ec2("describe_vpc_endpoints", "VpcEndpoints"):
        yield Sighting(
            endpoint["VpcEndpointId"],
            key_value_tags(endpoint.get("Tags", ())),
            made_at=endpoint.get("CreationTimestamp"),
            usd_per_hour=price * len(endpoint.get("SubnetIds", ())),
        )


def _look_at_endpoint(aws: ServiceClients, endpoint: RunResource) -> Presence:
    (found,) = aws("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint.id])["VpcEndpoints"]
    return presence_by_state(found["State"], gone=("deleted",))


def _interfaces(lists: Lists) -> Iterator[Sighting]:
    """Those that their services have left behind; of one in use its owner disposes, in minutes."""
    for vpc in lists.of("VPC"):
        filters = [{"Name": "vpc-id", "Values": [vpc.id]}, {"Name": "status", "Values": ["available"]}]
        for interface in lists.aws.listed("ec2", "describe_network_interfaces", "NetworkInterfaces", Filters=filters):
            yield Sighting(interface["NetworkInterfaceId"], vpc.tags)


def _security_groups(lists: Lists) -> Iterator[Sighting]:
    """Without the default ones, which are tagged too, and go with their VPC."""
    for group in lists.of_ec2("describe_security_groups", "SecurityGroups"):
        if group["GroupName"] != "default":
            yield Sighting(group["GroupId"], key_value_tags(group["Tags"]))


def _remove_security_group(aws: ServiceClients, group: RunResource) -> None:
    """Its rules first: two groups that name each other could not be deleted."""
    ec2 = aws("ec2")
    filters = [{"Name": "group-id", "Values": [group.id]}]
    rules = list(aws.listed("ec2", "describe_security_group_rules", "SecurityGroupRules", Filters=filters))
    for is_egress, revoke in (
        (True, ec2.revoke_security_group_egress),
        (False, ec2.revoke_security_group_ingress),
    ):
        if ids := [rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"] is is_egress]:
            revoke(GroupId=group.id, SecurityGroupRuleIds=ids)
    ec2.delete_security_group(GroupId=group.id)


def _remove_route_table(aws: ServiceClients, table: RunResource) -> None:
    (found,) = aws("ec2").describe_route_tables(RouteTableIds=[table.id])["RouteTables"]
    for association in found["Associations"]:
        aws("ec2").disassociate_route_table(AssociationId=association["RouteTableAssociationId"])
    aws("ec2").delete_route_table(RouteTableId=table.id)


def _remove_internet_gateway(aws: ServiceClients, gateway: RunResource) -> None:
    (found,) = aws("ec2").describe_internet_gateways(InternetGatewayIds=[gateway.id])["InternetGateways"]
    for attachment in found["Attachments"]:
        aws("ec2").detach_internet_gateway(InternetGatewayId=gateway.id, VpcId=attachment["VpcId"])
    aws("ec2").delete_internet_gateway(InternetGatewayId=gateway.id)


NETWORK_INTERFACE = ResourceKind(
    "network interface",
    _interfaces,
    lambda aws, interface: aws("ec2").describe_network_interfaces(NetworkInterfaceIds=[interface.id])[
        "NetworkInterfaces"
    ],
    lambda aws, interface: aws("ec2").delete_network_interface(NetworkInterfaceId=interface.id),
    "aws ec2 delete-network-interface --network-interface-id {id}",
)
FLOW_LOG = _simple(
    "VPC flow log",
    "delete-flow-logs --flow-log-ids",
    "describe_flow_logs",
    "FlowLogs",
    "FlowLogIds",
    lambda aws, log: aws("ec2").delete_flow_logs(FlowLogIds=[log.id]),
)
NAT_GATEWAY = ResourceKind(
    "NAT gateway",
    _nat_gateways,
    _look_at_nat_gateway,
    lambda aws, gateway: aws("ec2").delete_nat_gateway(NatGatewayId=gateway.id),
    "aws ec2 delete-nat-gateway --nat-gateway-id {id}",
)
ELASTIC_IP = _simple(
    "elastic IP",
    "release-address --allocation-id",
    "describe_addresses",
    "Addresses",
    "AllocationIds",
    lambda aws, address: aws("ec2").release_address(AllocationId=address.id),
    costs="public_address_hour",
)
VPC_ENDPOINT = ResourceKind(
    "VPC endpoint",
    _endpoints,
    _look_at_endpoint,
    lambda aws, endpoint: aws("ec2").delete_vpc_endpoints(VpcEndpointIds=[endpoint.id]),
    "aws ec2 delete-vpc-endpoints --vpc-endpoint-ids {id}",
)
SECURITY_GROUP = ResourceKind(
    "security group",
    _security_groups,
    lambda aws, group: aws("ec2").describe_security_groups(GroupIds=[group.id])["SecurityGroups"],
    _remove_security_group,
    "aws ec2 delete-security-group --group-id {id}",
)
SUBNET = _simple(
    "subnet",
    "delete-subnet --subnet-id",
    "describe_subnets",
    "Subnets",
    "SubnetIds",
    lambda aws, subnet: aws("ec2").delete_subnet(SubnetId=subnet.id),
)
ROUTE_TABLE = _simple(
    "route table",
    "delete-route-table --route-table-id",
    "describe_route_tables",
    "RouteTables",
    "RouteTableIds",
    _remove_route_table,
)
INTERNET_GATEWAY = _simple(
    "internet gateway",
    "delete-internet-gateway --internet-gateway-id",
    "describe_internet_gateways",
    "InternetGateways",
    "InternetGatewayIds",
    _remove_internet_gateway,
)
EGRESS_GATEWAY = _simple(
    "egress-only internet gateway",
    "delete-egress-only-internet-gateway --egress-only-internet-gateway-id",
    "describe_egress_only_internet_gateways",
    "EgressOnlyInternetGateways",
    "EgressOnlyInternetGatewayIds",
    lambda aws, gateway: aws("ec2").delete_egress_only_internet_gateway(EgressOnlyInternetGatewayId=gateway.id),
)
VPC = _simple(
    "VPC",
    "delete-vpc --vpc-id",
    "describe_vpcs",
    "Vpcs",
    "VpcIds",
    lambda aws, vpc: aws("ec2").delete_vpc(VpcId=vpc.id),
)
LAUNCH_TEMPLATE = _simple(
    "launch template",
    "delete-launch-template --launch-template-id",
    "describe_launch_templates",
    "LaunchTemplates",
    "LaunchTemplateIds",
    lambda aws, template: aws("ec2").delete_launch_template(LaunchTemplateId=template.id),
)
