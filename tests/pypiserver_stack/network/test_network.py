"""The network: what is made where, of the stack's own and in given subnets."""

from __future__ import annotations

import json
from ipaddress import IPv4Network, IPv6Network
from itertools import combinations
from pathlib import Path
from typing import Any

import hypothesis
import pulumi
import pulumi_aws as aws
import pytest
from hypothesis import strategies as st

from bench.common.failures import UsageError
from bench.deployment.engine import StackConfig
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.graph import Graph
from bench.deployment.local_cloud import ACCOUNT_ID, REGION, LocalCloud
from bench.deployment.stack_config import load_stack
from pypiserver_stack.network.own_vpc import ipv6_range, private_range, public_range
from tests.pypiserver_stack.network.test_reachability import ECR_IMAGE
from tests.pypiserver_stack.support.evaluation import ROOT, evaluated
from tests.pypiserver_stack.support.plain_settings import plain_settings
from tests.pypiserver_stack.test_program import UNTAGGED


def test_aws_is_asked_before_anything_is_made() -> None:
    with pytest.raises(UsageError, match="where the balancer has no subnet") as error:
        evaluated(
            "stress",
            (
                "instance_subnet_ids=subnet-0123456789abcde02",
                "balancer_subnet_ids=subnet-0123456789abcde30,subnet-0123456789abcde31",
            ),
        )
    assert "\n" not in str(error.value)


def test_the_network_is_where_it_is_asked_to_be() -> None:
    graph = evaluated("stress", ("vpc_cidr=192.168.0.0/22", "availability_zone_count=3")).graph
    vpc = graph.one("aws:ec2/vpc:Vpc")
    subnets = {
        s.name: (s.inputs["availabilityZone"][-1], s.inputs["cidrBlock"]) for s in of(graph, "ec2/subnet:Subnet")
    }
    assert vpc.inputs["cidrBlock"] == "192.168.0.0/22"
    assert subnets == {
        "pypiserver-public-0": ("a", "192.168.0.0/26"),
        "pypiserver-public-1": ("b", "192.168.0.64/26"),
        "pypiserver-public-2": ("c", "192.168.0.128/26"),
        "pypiserver-private-0": ("a", "192.168.1.0/24"),
        "pypiserver-private-1": ("b", "192.168.2.0/24"),
        "pypiserver-private-2": ("c", "192.168.3.0/24"),
    }
    assert all(s.inputs.get("mapPublicIpOnLaunch") is None for s in of(graph, "ec2/subnet:Subnet"))


@hypothesis.given(st.integers(0, 2**24 - 1), st.integers(16, 23))
def test_ranges_lie_in_the_vpc_apart_from_each_other_and_large_enough(address: int, prefix_length: int) -> None:
    vpc = IPv4Network((10 << 24 | address, prefix_length), strict=False)
    cidr = plain_settings({"vpc_cidr": str(vpc)}).vpc_cidr
    subnets = [IPv4Network(range_of(cidr, zone)) for range_of in (public_range, private_range) for zone in range(3)]
    assert all(subnet.subnet_of(vpc) for subnet in subnets)
    assert not any(one.overlaps(other) for one, other in combinations(subnets, 2))
    # A balancer takes a /27 and no less.
    assert all(subnet.prefixlen <= 27 for subnet in subnets)


def test_a_third_zone_changes_nothing_about_the_first_two() -> None:
    two, three = (evaluated("stress", (f"availability_zone_count={count}",)).graph for count in (2, 3))
    for kind in ("ec2/subnet:Subnet", "ec2/route:Route", "ec2/routeTable:RouteTable"):
        before, after = ({r.urn: r.inputs for r in of(graph, kind)} for graph in (two, three))
        assert before.items() <= after.items()
        assert len(after) > len(before)


def test_another_way_out_changes_routes_and_no_subnet() -> None:
    one, each = (evaluated("stress", (f"nat_gateways={count}",)).graph for count in ("one", "one_per_zone"))
    for kind in ("ec2/subnet:Subnet", "ec2/routeTable:RouteTable", "ec2/routeTableAssociation:RouteTableAssociation"):
        before, after = ({r.urn: r.inputs for r in of(graph, kind)} for graph in (one, each))
        assert before == after
    assert [len(of(graph, "ec2/natGateway:NatGateway")) for graph in (one, each)] == [1, 2]


def test_dual_stack_divides_the_block_that_aws_gives() -> None:
    graph = evaluated("stress", ("ipv6_enabled=true", "availability_zone_count=3")).graph
    block = IPv6Network(graph.one("aws:ec2/vpc:Vpc").outputs["ipv6CidrBlock"])
    ranges = {s.name: IPv6Network(s.inputs["ipv6CidrBlock"]) for s in of(graph, "ec2/subnet:Subnet")}
    assert len(set(ranges.values())) == 6
    assert all(subnet.prefixlen == 64 and subnet.subnet_of(block) for subnet in ranges.values())
    assert ipv6_range("2001:db8:0:100::/56", 255) == "2001:db8:0:1ff::/64"
    assigned = {s.name: s.inputs["assignIpv6AddressOnCreation"] for s in of(graph, "ec2/subnet:Subnet")}
    assert {name for name, is_assigned in assigned.items() if is_assigned} == {
        f"pypiserver-private-{i}" for i in range(3)
    }


def test_without_ipv6_there_is_none() -> None:
    graph = evaluated().graph
    assert not of(graph, "ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway")
    assert "2600:" not in json.dumps([dict(resource.inputs) for resource in graph])


def test_flow_logs_are_written_by_a_role_that_may_do_nothing_else() -> None:
    graph = evaluated("stress", ("flow_logs_enabled=true", "flow_logs_retention_days=90")).graph
    log = graph.one("aws:ec2/flowLog:FlowLog").inputs
    (group,) = (g for g in of(graph, "cloudwatch/logGroup:LogGroup") if g.name == "pypiserver-flow-logs")
    (policy,) = (p for p in of(graph, "iam/rolePolicy:RolePolicy") if p.name == "pypiserver-write-flow-logs")
    (role,) = (r for r in of(graph, "iam/role:Role") if r.name == "pypiserver-flow-logs")
    assert group.inputs["retentionInDays"] == 90
    assert (log["logDestination"], log["trafficType"]) == (group.outputs["arn"], "ALL")
    assert log["vpcId"] == graph.one("aws:ec2/vpc:Vpc").id
    assert log["iamRoleArn"] == role.outputs["arn"]
    write, look = json.loads(policy.inputs["policy"])["Statement"]
    assert write == {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        "Resource": f"{group.outputs['arn']}:*",
    }
    assert look == {
        "Effect": "Allow",
        "Action": "logs:DescribeLogGroups",
        "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:*",
    }
    assert not of(evaluated().graph, "ec2/flowLog:FlowLog")


@pytest.mark.parametrize(
    "overrides", [("ipv6_enabled=true", "flow_logs_enabled=true"), ("nat_gateways=none", ECR_IMAGE)]
)
def test_everything_of_a_network_that_takes_tags_has_them(overrides: tuple[str, ...]) -> None:
    graph = evaluated("stress", overrides).graph
    made = [r for r in graph if r.type.startswith(("aws:ec2/", "aws:vpc/", "aws:iam/", "aws:cloudwatch/"))]
    untagged = {r.type for r in made if r.inputs.get("tags", {}).get("service") != "pypiserver"}
    assert untagged <= UNTAGGED
    assert {"aws:ec2/route:Route", "aws:ec2/routeTableAssociation:RouteTableAssociation"} <= untagged


def test_a_subnet_stays_where_it_is_when_the_list_of_zones_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    ignored: list[object] = []
    real = aws.ec2.Subnet

    def recording(name: str, *, opts: pulumi.ResourceOptions, **arguments: Any) -> aws.ec2.Subnet:
        ignored.append(opts.ignore_changes)
        return real(name, opts=opts, **arguments)

    monkeypatch.setattr(aws.ec2, "Subnet", recording)
    config, _ = load_stack(ROOT, "stress")
    EmbeddedEngine(LocalCloud(), ROOT).up(config)  # not from the cache of evaluations
    assert ignored == [["availabilityZone"]] * 4


def test_given_subnets_take_every_part_and_no_network_is_made() -> None:
    graph = evaluated(
        "stress",
        (
            # Of the zones b, b, c: the file system goes where it has not been yet.
            "instance_subnet_ids=subnet-0123456789abcde01,subnet-0123456789abcde04,subnet-0123456789abcde02",
            "balancer_subnet_ids=subnet-0123456789abcde31,subnet-0123456789abcde32",
        ),
    ).graph
    subnets = [f"subnet-0123456789abcde0{digit}" for digit in "142"]
    made = {resource.type for resource in graph if resource.type.startswith(("aws:ec2/", "aws:vpc/"))}
    assert made == {
        "aws:ec2/launchTemplate:LaunchTemplate",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    }
    assert graph.one("aws:autoscaling/group:Group").inputs["vpcZoneIdentifiers"] == subnets
    targets = [target.inputs["subnetId"] for target in of(graph, "efs/mountTarget:MountTarget")]
    assert targets == [subnets[0], subnets[2]]
    balancer = graph.one("aws:lb/loadBalancer:LoadBalancer").inputs
    assert balancer["subnets"] == ["subnet-0123456789abcde31", "subnet-0123456789abcde32"]
    groups = [graph.one("aws:lb/targetGroup:TargetGroup"), *of(graph, "ec2/securityGroup:SecurityGroup")]
    assert {group.inputs["vpcId"] for group in groups} == {"vpc-0123456789abcdef0"}


PROGRAM = """
import pulumi_aws as aws
from pypiserver_stack.common.tags import Tags
from pypiserver_stack.network import AllowedClients, Network, find_site
from pypiserver_stack.settings import read_settings

vpc = aws.ec2.Vpc("theirs", cidr_block="10.20.0.0/16")
ids = [aws.ec2.Subnet(f"theirs-{i}", vpc_id=vpc.id, cidr_block=f"10.20.{i}.0/24").id for i in range(4)]
subnets = {"instance_subnet_ids": ids[:2], "balancer_subnet_ids": ids[2:]}
settings = read_settings({**subnets, "allow_http": True})
tags = Tags(settings)
prefix_lists = ("pl-0123456789abcdef0",)
clients = AllowedClients(ports=(80, 443), cidrs=("203.0.113.0/24", "2001:db8::/32"), prefix_list_ids=prefix_lists)
network = Network("index", settings, tags, find_site(settings), clients=clients, log_kms_key_arn=None, protect=False)
for zone, id_ in network.mount_target_subnet_ids.items():
    aws.efs.MountTarget(f"files-{zone}", file_system_id="fs-1", subnet_id=id_)
dual_stack = read_settings({**subnets, "allow_http": True, "ipv6_enabled": True})
site = find_site(dual_stack)
Network("second", dual_stack, tags, site, clients=AllowedClients(), log_kms_key_arn=None, protect=False)
"""


def test_another_program_gives_its_own_subnets_and_says_who_may_come(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(PROGRAM)
    (tmp_path / "Pulumi.yaml").write_text("name: theirs\nruntime: python\n")
    graph = EmbeddedEngine(LocalCloud(), tmp_path).up(StackConfig("theirs", "dev", {})).graph
    subnets = {subnet.name: subnet.id for subnet in of(graph, "ec2/subnet:Subnet")}
    targets = [target.inputs["subnetId"] for target in of(graph, "efs/mountTarget:MountTarget")]
    assert targets == [subnets["theirs-0"], subnets["theirs-1"]]
    groups = {group.name: group for group in of(graph, "ec2/securityGroup:SecurityGroup")}
    assert {group.inputs["vpcId"] for group in groups.values()} == {"vpc-0123456789abcdef0"}
    admitted = {
        (rule.name.split("-")[0], rule.inputs["fromPort"], rule.inputs["toPort"], rule.inputs.get(kind))
        for rule in of(graph, "vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        for kind in ("cidrIpv4", "cidrIpv6", "prefixListId")
        if rule.inputs["securityGroupId"] in (groups["index-balancer"].id, groups["second-balancer"].id)
        and kind in rule.inputs
    }
    sources = ("203.0.113.0/24", "2001:db8::/32", "pl-0123456789abcdef0")
    assert admitted == {
        *(("index", port, port, source) for port in (80, 443) for source in sources),
        *(("second", 80, 80, source) for source in ("10.20.0.0/16", "2600:1f14:14:a00::/56")),
    }


def of(graph: Graph, kind: str) -> list[Any]:
    return list(graph.of_type(f"aws:{kind}"))
