"""A package index inside somebody else's program, which makes the network, the zone and the key itself."""

import pulumi
import pulumi_aws as aws

from pypiserver_stack.server import PypiServer
from pypiserver_stack.settings import read_settings

ZONES = ("us-west-2a", "us-west-2b")

vpc = aws.ec2.Vpc("network", cidr_block="10.20.0.0/16", enable_dns_support=True, enable_dns_hostnames=True)
internet = aws.ec2.InternetGateway("network", vpc_id=vpc.id)


def subnet(name: str, zone: str, cidr_block: str, way_out: aws.ec2.RouteTable) -> aws.ec2.Subnet:
    """A subnet whose traffic leaves as the route table says."""
    made = aws.ec2.Subnet(name, vpc_id=vpc.id, availability_zone=zone, cidr_block=cidr_block)
    aws.ec2.RouteTableAssociation(name, subnet_id=made.id, route_table_id=way_out.id)
    return made


to_the_internet = aws.ec2.RouteTable("public", vpc_id=vpc.id)
aws.ec2.Route("public", route_table_id=to_the_internet.id, destination_cidr_block="0.0.0.0/0", gateway_id=internet.id)
public = [subnet(f"public-{zone}", zone, f"10.20.{i}.0/24", to_the_internet) for i, zone in enumerate(ZONES)]

address = aws.ec2.Eip("nat", domain="vpc", opts=pulumi.ResourceOptions(depends_on=[internet]))
nat = aws.ec2.NatGateway("nat", subnet_id=public[0].id, allocation_id=address.id)
through_nat = aws.ec2.RouteTable("private", vpc_id=vpc.id)
aws.ec2.Route("private", route_table_id=through_nat.id, destination_cidr_block="0.0.0.0/0", nat_gateway_id=nat.id)
private = [subnet(f"private-{zone}", zone, f"10.20.{16 * (i + 1)}.0/20", through_nat) for i, zone in enumerate(ZONES)]

zone = aws.route53.Zone("packages", name="packages.example.com")
key = aws.kms.Key("credentials", description="The credentials of the package index.", enable_key_rotation=True)

index = PypiServer(
    "wheels",
    read_settings(
        {
            "profile": "heavy",
            "instance_subnet_ids": [one.id for one in private],
            "balancer_subnet_ids": [one.id for one in public],
            "zone_id": zone.zone_id,
            "secret_kms_key_arn": key.arn,
            "alarm_emails": ["platform@example.com"],
        }
    ),
)

pulumi.export("url", index.url)
pulumi.export("password", index.password)
pulumi.export("read_password", index.read_password)
pulumi.export("tasks", index.capacity["task_min_count"])
