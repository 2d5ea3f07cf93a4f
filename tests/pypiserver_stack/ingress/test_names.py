"""Names and certificate: the records in the zone, and who makes them."""

from __future__ import annotations

import pytest

from bench.common.failures import BenchError
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.graph import Graph, Resource
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.stack_config import load_stack
from tests.pypiserver_stack.support.evaluation import ROOT, evaluated

ZONE_ID = "Z0123456789ABCDEFGHIJ"
ZONE = f"zone_id={ZONE_ID}"
TWO_NAMES = "dns_names=pypi,wheels"
HOSTS = ["pypi.example.com", "wheels.example.com"]
RECORD = "aws:route53/record:Record"
PRIVATE = "zone_id=ZPRIVATE0123456789"
GIVEN = "certificate_arn=arn:aws:acm:us-west-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
CLOUDFRONT = ("cloudfront_enabled=true", "balancer_scheme=internet-facing", "removal_enabled=false")


def graph(*overrides: str) -> Graph:
    return evaluated("stress", (ZONE, *overrides)).graph


def records(found: Graph, type_: str) -> dict[str, Resource]:
    return {record.inputs["name"]: record for record in found.of_type(RECORD) if record.inputs["type"] == type_}


def test_every_name_is_an_alias_of_the_balancer() -> None:
    found = graph(TWO_NAMES)
    balancer = found.one("aws:lb/loadBalancer:LoadBalancer").outputs
    aliases = records(found, "A")
    assert sorted(aliases) == HOSTS
    for alias in aliases.values():
        assert alias.inputs["zoneId"] == ZONE_ID
        assert alias.inputs["aliases"] == [
            {"name": balancer["dnsName"], "zoneId": balancer["zoneId"], "evaluateTargetHealth": False}
        ]
        # Somebody else's record of that name is not taken over.
        assert "allowOverwrite" not in alias.inputs
    assert not records(found, "AAAA")


def test_the_certificate_stands_for_every_name_and_each_is_proved_by_its_own_record() -> None:
    found = graph(TWO_NAMES)
    certificate = found.one("aws:acm/certificate:Certificate")
    assert certificate.inputs["domainName"] == HOSTS[0]
    assert certificate.inputs["subjectAlternativeNames"] == HOSTS[1:]
    assert certificate.inputs["validationMethod"] == "DNS"
    options = {option["domainName"]: option for option in certificate.outputs["domainValidationOptions"]}
    by_resource = {record.name: record.inputs for record in found.of_type(RECORD)}
    for label, host in zip(("pypi", "wheels"), HOSTS, strict=True):
        # Named after what it proves, for ACM tells its options in no order.
        record = by_resource[f"pypiserver-{label}-validation"]
        assert record["name"] == options[host]["resourceRecordName"]
        assert record["records"] == [options[host]["resourceRecordValue"]]
        assert record["type"] == "CNAME"


def test_the_listener_waits_until_the_certificate_is_issued() -> None:
    found = graph(TWO_NAMES)
    validation = found.one("aws:acm/certificateValidation:CertificateValidation")
    (listener,) = (listener for listener in found.of_type("aws:lb/listener:Listener") if listener.inputs["port"] == 443)
    assert listener.inputs["certificateArn"] == found.one("aws:acm/certificate:Certificate").outputs["arn"]
    assert validation.urn in listener.dependencies
    assert sorted(validation.inputs["validationRecordFqdns"]) == sorted(
        record.outputs["fqdn"] for record in records(found, "CNAME").values()
    )


def test_caa_records_name_who_may_issue_before_anybody_is_asked_to() -> None:
    found = graph(TWO_NAMES, "certificate_issuers=amazon.com,letsencrypt.org")
    caa = records(found, "CAA")
    assert sorted(caa) == HOSTS
    certificate = found.one("aws:acm/certificate:Certificate")
    for record in caa.values():
        assert record.inputs["records"] == ['0 issue "amazon.com"', '0 issue "letsencrypt.org"']
        assert record.urn in certificate.dependencies
    assert not records(graph("certificate_issuers=[]"), "CAA")


def test_a_certificate_of_ones_own_has_records_all_the_same_and_its_authority_is_not_shut_out() -> None:
    assert {record.inputs["type"] for record in graph(GIVEN).of_type(RECORD)} == {"A"}
    named = records(graph(GIVEN, "certificate_issuers=letsencrypt.org"), "CAA")
    assert [record.inputs["records"] for record in named.values()] == [['0 issue "letsencrypt.org"']]


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ((PRIVATE,), "zone_id = 'ZPRIVATE0123456789': example.com is a private hosted zone"),
        ((PRIVATE, GIVEN, *CLOUDFRONT), "zone_id = 'ZPRIVATE0123456789': example.com is a private hosted zone"),
        ((ZONE, f"dns_names={'a' * 53}"), f"dns_names: {'a' * 53}.example.com has 65 characters"),
    ],
)
def test_what_acm_would_not_issue_is_not_asked_for(overrides: tuple[str, ...], sentence: str) -> None:
    cloud = LocalCloud()
    config, _ = load_stack(ROOT, "stress", overrides)
    with pytest.raises(BenchError) as refused:
        EmbeddedEngine(cloud, ROOT).up(config)
    assert sentence in str(refused.value)
    assert not [urn for urn in cloud.records if "aws:acm/" in urn or "aws:route53/" in urn]


@pytest.mark.parametrize(
    "overrides", [(PRIVATE, GIVEN), (ZONE, f"dns_names={'a' * 52}"), (ZONE, f"dns_names=pypi,{'a' * 53}")]
)
def test_what_needs_no_certificate_or_gets_one_is_made(overrides: tuple[str, ...]) -> None:
    assert records(evaluated("stress", overrides).graph, "A")
