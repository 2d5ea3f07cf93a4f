"""What is asked of AWS before a network is made or used, and what is refused then."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from pypiserver_stack.network import find_site
from pypiserver_stack.network.site import GivenSite, OwnSite
from pypiserver_stack.settings import ConfigurationError
from tests.pypiserver_stack.support.plain_settings import plain_settings

INSTANCES = ("subnet-0000000a0", "subnet-0000000b0")
ZONES = ("xx-east-1a", "xx-east-1b")
BALANCER = ("subnet-0000000a1", "subnet-0000000b1")
GIVEN = {"instance_subnet_ids": list(INSTANCES), "balancer_subnet_ids": list(BALANCER)}


@dataclass
class Account:
    """What AWS knows; the last digit but one of a subnet's id is its zone."""

    zones: list[str] = field(default_factory=lambda: ["xx-east-1a", "xx-east-1b"])
    vpcs: dict[str, str] = field(default_factory=dict)
    """Of subnets that are not in `vpc-1`."""
    without_ipv6: set[str] = field(default_factory=set)
    vpc: dict[str, Any] = field(default_factory=dict)
    asked_with: list[pulumi.InvokeOptions] = field(default_factory=list)

    def get_subnet(self, *, id: str, opts: pulumi.InvokeOptions) -> SimpleNamespace:
        if id.endswith("ff"):
            raise LookupError("no matching EC2 Subnet found")
        return SimpleNamespace(
            vpc_id=self.vpcs.get(id, "vpc-1"),
            availability_zone=f"xx-east-1{id[-2]}",
            ipv6_cidr_block="" if id in self.without_ipv6 else "2001:db8::/64",
        )

    def get_vpc(self, *, id: str, opts: pulumi.InvokeOptions) -> SimpleNamespace:
        blocks = [SimpleNamespace(ipv6_cidr_block="2001:db8::/56")]
        known = {"enable_dns_support": True, "enable_dns_hostnames": True, **self.vpc}
        return SimpleNamespace(id=id, cidr_block="10.0.0.0/16", ipv6_cidr_block_associations=blocks, **known)

    def get_availability_zones(self, *, opts: pulumi.InvokeOptions, **_: Any) -> SimpleNamespace:
        self.asked_with.append(opts)
        return SimpleNamespace(names=self.zones)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    account = Account()
    monkeypatch.setattr(aws.ec2, "get_subnet", account.get_subnet)
    monkeypatch.setattr(aws.ec2, "get_vpc", account.get_vpc)
    monkeypatch.setattr(aws, "get_availability_zones", account.get_availability_zones)
    return account


def refused(**config: Any) -> str:
    with pytest.raises(ConfigurationError) as error:
        find_site(plain_settings({**GIVEN, **config}))
    return str(error.value)


def test_given_subnets_are_used_as_they_are(account: Account) -> None:
    mounts = dict(zip(ZONES, INSTANCES, strict=True))
    assert find_site(plain_settings(GIVEN)) == GivenSite("vpc-1", ("10.0.0.0/16",), INSTANCES, mounts, BALANCER)
    dual_stack = find_site(plain_settings({**GIVEN, "ipv6_enabled": "true"}))
    assert isinstance(dual_stack, GivenSite)
    assert dual_stack.vpc_cidrs == ("10.0.0.0/16", "2001:db8::/56")


def test_a_zone_has_one_mount_target(account: Account) -> None:
    several = ["subnet-0000000a0", "subnet-0000000a2", "subnet-0000000b0", "subnet-0000000b2"]
    site = find_site(plain_settings({**GIVEN, "instance_subnet_ids": several}))
    assert isinstance(site, GivenSite)
    assert site.instance_subnet_ids == tuple(several)
    assert site.mount_target_subnet_ids == dict(zip(ZONES, INSTANCES, strict=True))


def test_outputs_among_the_subnets_are_taken_at_their_word(account: Account) -> None:
    async def output_of_a_program() -> pulumi.Output[str]:
        return pulumi.Output.from_input("subnet-0000000a0")

    output = asyncio.run(output_of_a_program())
    mixed = {"instance_subnet_ids": [*INSTANCES, output], "balancer_subnet_ids": [output, *BALANCER]}
    site = find_site(plain_settings(mixed))
    assert isinstance(site, GivenSite)
    assert site.mount_target_subnet_ids == {**dict(zip(ZONES, INSTANCES, strict=True)), "2": output}
    assert site.balancer_subnet_ids == (output, *BALANCER)


def test_what_would_not_work_with_the_given_subnets_is_refused(account: Account) -> None:
    unknown = "instance_subnet_ids: AWS has no subnet subnet-0000000ff in this region and account"
    assert refused(instance_subnet_ids="subnet-0000000ff").startswith(unknown)
    assert refused(balancer_subnet_ids="subnet-0000000a1,subnet-0000000a2,subnet-0000000b1") == (
        "balancer_subnet_ids: subnet-0000000a2 in xx-east-1a, as is subnet-0000000a1: "
        "a balancer takes one subnet of a zone"
    )
    assert refused(instance_subnet_ids="subnet-0000000c0") == (
        "instance_subnet_ids: subnet-0000000c0 in xx-east-1c, where the balancer has no subnet: "
        "add one of that zone to balancer_subnet_ids"
    )
    account.vpcs = {BALANCER[1]: "vpc-2"}
    assert "all must be of one" in refused()
    account.vpcs = {}
    account.without_ipv6 = {BALANCER[0]}
    assert "has no IPv6 range, and ipv6_enabled is set" in refused(ipv6_enabled="true")
    account.vpc = {"enable_dns_hostnames": False}
    assert "lacks enableDnsSupport or enableDnsHostnames" in refused()


@pytest.mark.parametrize("key", ["provider", "providers"])
def test_aws_is_asked_with_the_provider_of_the_component(account: Account, key: str) -> None:
    ours: Any = SimpleNamespace(package="aws")
    given: dict[str, Any] = {
        "provider": {"provider": ours},
        "providers": {"providers": [SimpleNamespace(package="random"), ours]},
    }[key]
    find_site(plain_settings(), pulumi.ResourceOptions(**given))
    find_site(plain_settings())
    assert [opts.provider for opts in account.asked_with] == [ours, None]


def test_zones_that_a_region_does_not_have_are_refused(account: Account) -> None:
    assert find_site(plain_settings()) == OwnSite(("xx-east-1a", "xx-east-1b"))
    with pytest.raises(ConfigurationError, match=r"availability_zone_count = 3: at most 2 in this region"):
        find_site(plain_settings({"availability_zone_count": "3"}))
