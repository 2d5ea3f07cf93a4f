"""Settings of the network: what is refused, and in which words."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from pypiserver_stack.settings import SettingsError, allowed
from tests.pypiserver_stack.support.plain_settings import plain_settings

A, B, C, D = (f"subnet-0123456789abcde{digit}0" for digit in "abcd")
GIVEN = {"instance_subnet_ids": f"{A},{B}", "balancer_subnet_ids": f'["{C}", "{D}"]'}
ECR = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror/pypiserver:v2.4.2"


def problems(**config: Any) -> dict[str, str]:
    with pytest.raises(SettingsError) as refused:
        plain_settings(config)
    return {problem.key: problem.allowed for problem in refused.value.problems}


def test_lists_come_as_json_or_with_commas() -> None:
    settings = plain_settings(GIVEN)
    assert (settings.instance_subnet_ids, settings.balancer_subnet_ids) == ((A, B), (C, D))
    assert settings.subnets_given
    assert not plain_settings().subnets_given


def test_another_program_gives_outputs() -> None:
    subnet: pulumi.Output[str] = pulumi.Output.from_input(A)
    settings = plain_settings({"instance_subnet_ids": [subnet], "balancer_subnet_ids": [subnet, B]})
    assert settings.instance_subnet_ids == (subnet,)
    assert settings.balancer_subnet_ids == (subnet, B)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("instance_subnet_ids", "subnet-xyz"),
        ("balancer_subnet_ids", f"{A},vpc-0123456789abcdef0"),
        ("resolver_addresses", "10.0.0.256"),
        ("resolver_addresses", "resolver.example"),
        ("resolver_addresses", "10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5"),
        ("vpc_cidr", "10.98.0.0"),
        ("vpc_cidr", "10.98.0.1/16"),
        ("vpc_cidr", "10.0.0.0/15"),
        ("vpc_cidr", "10.98.0.0/24"),
        ("vpc_cidr", "8.8.0.0/16"),
        ("vpc_cidr", "172.17.0.0/16"),
        ("vpc_cidr", "172.17.64.0/20"),
        ("vpc_cidr", "2001:db8::/32"),
        ("availability_zone_count", "1"),
        ("availability_zone_count", "4"),
        ("nat_gateways", "two"),
        ("ipv6_enabled", "perhaps"),
        ("flow_logs_retention_days", "31"),
    ],
)
def test_a_value_out_of_bounds_is_refused(key: str, value: str) -> None:
    assert problems(**{key: value}) == {key: allowed(key)}


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "172.16.0.0/16", "172.18.0.0/20", "192.168.4.0/23", "100.64.0.0/16"])
def test_private_ranges_that_hold_the_subnets_are_taken(cidr: str) -> None:
    assert plain_settings({"vpc_cidr": cidr}).vpc_cidr == cidr


def test_half_a_network_is_refused() -> None:
    sentence = "needed with {}: give both, or neither for a VPC of the stack's own"
    assert problems(instance_subnet_ids=A) == {"balancer_subnet_ids": sentence.format("instance_subnet_ids")}
    assert problems(balancer_subnet_ids=f"{A},{B}") == {"instance_subnet_ids": sentence.format("balancer_subnet_ids")}
    assert problems(**{**GIVEN, "balancer_subnet_ids": C}) == {
        "balancer_subnet_ids": "at least two, in different availability zones: a balancer takes no fewer"
    }
    assert problems(**{**GIVEN, "instance_subnet_ids": f"{A},{B},{A}"}) == {
        "instance_subnet_ids": "names a subnet twice"
    }


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vpc_cidr", "10.98.0.0/16"),
        ("availability_zone_count", "2"),
        ("nat_gateways", "none"),
        ("flow_logs_enabled", "false"),
        ("flow_logs_retention_days", "30"),
    ],
)
def test_settings_of_an_own_vpc_are_refused_with_given_subnets_whatever_their_value(key: str, value: str) -> None:
    sentence = "is about a VPC of the stack's own, and subnets are given: leave out the one or the others"
    assert problems(**GIVEN, **{key: value}) == {key: sentence}


def test_resolvers_are_refused_without_given_subnets() -> None:
    assert plain_settings({**GIVEN, "resolver_addresses": "10.0.0.2"}).resolver_addresses == ("10.0.0.2",)
    assert list(problems(resolver_addresses="10.0.0.2")) == ["resolver_addresses"]


@pytest.mark.parametrize(
    "image",
    [
        "pypiserver/pypiserver:v2.4.2",
        "public.ecr.aws/mirror/pypiserver:v2.4.2",
        "registry.example/123456789012.dkr.ecr.eu-central-1.amazonaws.com/pypiserver:v2.4.2",
        "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com/pypiserver:v2.4.2",
    ],
)
def test_without_nat_the_image_comes_from_ecr(image: str) -> None:
    (sentence,) = problems(nat_gateways="none", image=image).values()
    assert image in sentence
    assert "without NAT neither Docker Hub nor any other registry can be reached" in sentence
    assert plain_settings({"nat_gateways": "none", "image": ECR}).image == ECR


def test_a_vpc_too_small_for_the_instances_is_refused() -> None:
    # A /23 has private subnets of 128 addresses, of which 26 are taken.
    small = {"vpc_cidr": "10.0.0.0/23", "availability_zone_count": "3"}
    assert plain_settings({**small, "instance_max_count": "306"}).instance_max_count == 306
    assert problems(**small, instance_max_count="307") == {
        "vpc_cidr": "holds at most 306 instances in 3 zones, and there may be 307: take a larger range"
    }
    assert list(problems(vpc_cidr="10.0.0.0/23", instance_min_count="204")) == ["vpc_cidr"]
    assert plain_settings({"instance_max_count": "1000"}).vpc_cidr == "10.98.0.0/16"
