"""The balancer: what it listens to, who may reach it, and what it keeps out."""

from __future__ import annotations

from typing import Any

import pytest

from bench.deployment.graph import Graph
from tests.pypiserver_stack.support.evaluation import evaluated, inputs

ZONE = "zone_id=Z0123456789ABCDEFGHIJ"
CERTIFICATE_ARN = "arn:aws:acm:us-west-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
CERTIFICATE = f"certificate_arn={CERTIFICATE_ARN}"
EVERYBODY = {("cidrIpv4", "0.0.0.0/0"), ("cidrIpv6", "::/0")}


def graph(*overrides: str) -> Graph:
    return evaluated("stress", overrides).graph


def listeners(found: Graph) -> dict[int, Any]:
    return {listener.inputs["port"]: listener.inputs for listener in found.of_type("aws:lb/listener:Listener")}


def admitted(found: Graph) -> set[tuple[int, str, str]]:
    """Port, family and range of every rule that lets an address in, to whatever it is."""
    return {
        (rule.inputs["fromPort"], family, rule.inputs[family])
        for rule in found.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        for family in ("cidrIpv4", "cidrIpv6")
        if family in rule.inputs
    }


@pytest.mark.parametrize("given", [ZONE, CERTIFICATE])
def test_a_certificate_makes_it_https_and_http_is_redirected(given: str) -> None:
    found = listeners(graph(given))
    group = graph(given).one("aws:lb/targetGroup:TargetGroup")
    assert found.keys() == {443, 80}
    assert found[443]["protocol"] == "HTTPS"
    assert found[443]["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    assert found[443]["defaultActions"] == [{"type": "forward", "targetGroupArn": group.outputs["arn"]}]
    assert found[80]["defaultActions"] == [
        {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}
    ]


def test_without_one_it_is_plain_http() -> None:
    found = listeners(graph())
    assert found.keys() == {80}
    assert found[80]["protocol"] == "HTTP"
    assert found[80]["defaultActions"][0]["type"] == "forward"
    assert not {"sslPolicy", "certificateArn"} & found[80].keys()


def test_a_certificate_of_ones_own_is_used_as_it_is() -> None:
    for overrides in ((CERTIFICATE,), (CERTIFICATE, ZONE)):
        found = graph(*overrides)
        assert listeners(found)[443]["certificateArn"] == CERTIFICATE_ARN
        assert not found.of_type("aws:acm/certificate:Certificate")
    assert not graph(CERTIFICATE).of_type("aws:route53/record:Record")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ((), {(80, "cidrIpv4", "10.98.0.0/16")}),
        (("allowed_cidrs=203.0.113.0/24",), {(80, "cidrIpv4", "203.0.113.0/24")}),
        ((ZONE,), {(port, *source) for port in (443, 80) for source in EVERYBODY}),
        (
            (ZONE, "allowed_cidrs=203.0.113.0/24,2001:db8::/32"),
            {
                (port, *source)
                for port in (443, 80)
                for source in (("cidrIpv4", "203.0.113.0/24"), ("cidrIpv6", "2001:db8::/32"))
            },
        ),
    ],
)
def test_who_may_reach_it(overrides: tuple[str, ...], expected: set[tuple[int, str, str]]) -> None:
    found = graph(*overrides)
    assert admitted(found) == expected
    # Nobody but the balancer is admitted to by address.
    (group,) = found.one("aws:lb/loadBalancer:LoadBalancer").inputs["securityGroups"]
    for rule in found.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"):
        assert ("referencedSecurityGroupId" in rule.inputs) == (rule.inputs["securityGroupId"] != group)


@pytest.mark.parametrize(("scheme", "internal"), [("internal", True), ("internet-facing", False)])
def test_it_is_where_its_clients_are(scheme: str, internal: bool) -> None:
    found = graph(ZONE, f"balancer_scheme={scheme}")
    balancer = found.one("aws:lb/loadBalancer:LoadBalancer").inputs
    kind = "private" if internal else "public"
    subnets = {subnet.id for subnet in found.of_type("aws:ec2/subnet:Subnet") if f"-{kind}-" in subnet.name}
    assert balancer["internal"] is internal
    assert set(balancer["subnets"]) == subnets
    assert len(subnets) == 2


def test_it_keeps_out_what_a_server_could_misread() -> None:
    balancer = inputs("aws:lb/loadBalancer:LoadBalancer")
    assert balancer["dropInvalidHeaderFields"] is True
    assert balancer["desyncMitigationMode"] == "strictest"
    assert balancer["preserveHostHeader"] is True
    milder = inputs("aws:lb/loadBalancer:LoadBalancer", "desync_mitigation_mode=defensive")
    assert milder["desyncMitigationMode"] == "defensive"


def test_settings_reach_balancer_and_target_group() -> None:
    overrides = (
        "idle_timeout_s=50",
        "deletion_protection=true",
        "deregistration_delay_s=45",
        "slow_start_s=30",
        "load_balancing_algorithm=round_robin",
    )
    balancer = inputs("aws:lb/loadBalancer:LoadBalancer", *overrides)
    group = inputs("aws:lb/targetGroup:TargetGroup", *overrides)
    assert (balancer["idleTimeout"], balancer["enableDeletionProtection"]) == (50, True)
    assert (group["deregistrationDelay"], group["slowStart"]) == (45, 30)
    assert inputs("aws:lb/loadBalancer:LoadBalancer")["enableDeletionProtection"] is False


@pytest.mark.parametrize(
    ("overrides", "urls"),
    [
        ((ZONE,), ["https://pypiserver.example.com"]),
        ((ZONE, "dns_names=pypi,wheels.eu"), ["https://pypi.example.com", "https://wheels.eu.example.com"]),
        ((CERTIFICATE,), ["https://{}"]),
        ((), ["http://{}"]),
    ],
)
def test_the_exported_urls(overrides: tuple[str, ...], urls: list[str]) -> None:
    outputs = evaluated("stress", overrides).outputs
    assert outputs["urls"] == [url.format(outputs["load_balancer_dns_name"]) for url in urls]
    assert outputs["url"] == outputs["urls"][0]


def test_names_stay_within_what_aws_takes() -> None:
    longest = "p" * 20
    found = graph(ZONE, "waf_enabled=true", f"service_name={longest}")
    limits = {
        "aws:lb/loadBalancer:LoadBalancer": ("name", 32),
        "aws:lb/targetGroup:TargetGroup": ("name", 32),
        "aws:s3/bucket:Bucket": ("bucket", 63),
        "aws:wafv2/webAcl:WebAcl": ("name", 128),
    }
    for type_, (output, limit) in limits.items():
        name = found.one(type_).outputs[output]
        assert name.startswith(longest)
        assert len(name) <= limit
