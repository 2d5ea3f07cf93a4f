"""The distribution: who it is for, what it keeps, what it passes on, and that the balancer takes nobody else."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from bench.deployment.graph import Graph
from pypiserver_stack.rotate.steps import Passwords
from tests.pypiserver_stack.ingress.edge import Edge
from tests.pypiserver_stack.support.evaluation import container, evaluated, variables
from tests.pypiserver_stack.support.reachability import violations

ZONE = (
    "zone_id=Z0123456789ABCDEFGHIJ",
    "dns_names=pypi,wheels",
    "balancer_scheme=internet-facing",
    "removal_enabled=false",
)
ON = (*ZONE, "cloudfront_enabled=true")
HOSTS = ["pypi.example.com", "wheels.example.com"]
CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"
US_EAST_1 = "us-east-1"

DISTRIBUTION = "aws:cloudfront/distribution:Distribution"
POLICY = "aws:cloudfront/cachePolicy:CachePolicy"
LISTENER = "aws:lb/listener:Listener"
RULE = "aws:lb/listenerRule:ListenerRule"
RECORD = "aws:route53/record:Record"
WEB_ACL = "aws:wafv2/webAcl:WebAcl"
VALIDATION = "aws:acm/certificateValidation:CertificateValidation"


def graph(*overrides: str) -> Graph:
    return evaluated("stress", (*ON, *overrides)).graph


def rules(found: Graph) -> dict[str, Any]:
    """The rules of the listener by what they are for."""
    return {r.name.removeprefix("pypiserver").removeprefix("-") or "ours": r for r in found.of_type(RULE)}


def distribution(*overrides: str) -> dict[str, Any]:
    return dict(graph(*overrides).one(DISTRIBUTION).inputs)


def test_there_is_none_unless_asked_for() -> None:
    plain = evaluated("stress", ZONE)
    assert not plain.graph.of_type(DISTRIBUTION)
    assert rules(plain.graph).keys() == {"others"}
    assert not {"cloudfront_distribution_id", "cloudfront_domain_name"} & plain.outputs.keys()
    assert variables(container(*ZONE))["PYPISERVER_SHARED_CACHE"] == "false"


def test_the_names_lead_to_it_and_it_answers_to_them() -> None:
    found = graph()
    front = found.one(DISTRIBUTION)
    assert front.inputs["aliases"] == HOSTS
    aliases = [record for record in found.of_type(RECORD) if "aliases" in record.inputs]
    assert sorted((one.inputs["name"], one.inputs["type"]) for one in aliases) == [
        (host, kind) for host in HOSTS for kind in ("A", "AAAA")
    ]
    for one in aliases:
        assert one.inputs["aliases"] == [
            {"name": front.outputs["domainName"], "zoneId": "Z2FDTNDATAQYW2", "evaluateTargetHealth": False}
        ]
    outputs = evaluated("stress", ON).outputs
    assert outputs["urls"] == [f"https://{host}" for host in HOSTS]
    assert outputs["cloudfront_distribution_id"] == front.id
    assert outputs["cloudfront_domain_name"] == front.outputs["domainName"]


def test_switching_it_on_changes_the_records_in_place() -> None:
    """Beside the ones there are, others of the same names would be refused; and no balancer is replaced."""

    def kept(found: Graph) -> set[str]:
        types_ = ("aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup")
        names = {r.urn for r in found.of_type(RECORD) if r.inputs["type"] != "AAAA"}
        forwarding = {r.urn for r in found.of_type(LISTENER) if r.inputs["port"] == 443}
        return names | forwarding | {r.urn for kind in types_ for r in found.of_type(kind)}

    before = evaluated("stress", ZONE).graph
    assert kept(before) == kept(graph())
    (old,), (new,) = (found.of_type("aws:lb/loadBalancer:LoadBalancer") for found in (before, graph()))
    assert old.inputs == new.inputs


def test_its_certificate_is_of_the_region_that_cloudfront_takes_them_from() -> None:
    found = graph()
    certificates = {r.name: r for r in found.of_type("aws:acm/certificate:Certificate")}
    assert sorted(certificates) == ["pypiserver", "pypiserver-cloudfront"]
    own = certificates["pypiserver-cloudfront"]
    assert own.inputs["region"] == US_EAST_1
    assert [own.inputs["domainName"], *own.inputs["subjectAlternativeNames"]] == HOSTS
    viewer = found.one(DISTRIBUTION).inputs["viewerCertificate"]
    assert viewer == {
        "acmCertificateArn": own.outputs["arn"],
        "sslSupportMethod": "sni-only",
        "minimumProtocolVersion": "TLSv1.2_2021",
    }
    # It waits until the certificate is issued; each name is proved once, by one record, for both.
    validations = {r.name: r for r in found.of_type(VALIDATION)}
    assert validations["pypiserver-cloudfront"].urn in found.one(DISTRIBUTION).dependencies
    assert validations["pypiserver-cloudfront"].inputs["region"] == US_EAST_1
    proofs = sorted(r.outputs["fqdn"] for r in found.of_type(RECORD) if r.inputs["type"] == "CNAME")
    assert len(proofs) == len(HOSTS)
    assert all(sorted(one.inputs["validationRecordFqdns"]) == proofs for one in validations.values())


def test_beside_a_certificate_of_ones_own_it_makes_its_own() -> None:
    found = graph(f"certificate_arn={CERTIFICATE}")
    (own,) = found.of_type("aws:acm/certificate:Certificate")
    assert own.inputs["region"] == US_EAST_1
    assert {r.inputs["type"] for r in found.of_type(RECORD)} == {"A", "AAAA", "CNAME"}
    assert found.one(LISTENER).inputs["certificateArn"] == CERTIFICATE


def test_what_proves_a_name_is_one_resource_whichever_certificate_there_is() -> None:
    """Under another URN the engine would make the same record again, and then delete it."""

    def proofs(found: Graph) -> dict[str, Any]:
        return {r.urn: r.inputs for r in found.of_type(RECORD) if r.inputs["type"] == "CNAME"}

    both = proofs(graph())
    assert len(both) == len(HOSTS)
    assert proofs(graph(f"certificate_arn={CERTIFICATE}")) == both
    assert proofs(evaluated("stress", ZONE).graph) == both


def test_the_balancer_takes_what_comes_with_the_header_alone() -> None:
    found = graph()
    listener, front = found.one(LISTENER), found.one(DISTRIBUTION)
    ours, others = rules(found)["ours"], rules(found)["others"]
    assert (listener.inputs["port"], listener.inputs["protocol"]) == (443, "HTTPS")
    assert {rule.inputs["listenerArn"] for rule in (ours, others)} == {listener.outputs["arn"]}
    assert ours.inputs["priority"] < others.inputs["priority"]
    group = found.one("aws:lb/targetGroup:TargetGroup").outputs["arn"]
    assert ours.inputs["actions"] == [{"type": "forward", "targetGroupArn": group}]
    (condition,) = ours.inputs["conditions"]
    (origin,) = front.inputs["origins"]
    (sent,) = origin["customHeaders"]
    assert condition == {"httpHeader": {"httpHeaderName": sent["name"], "values": [sent["value"]]}}
    assert len(sent["value"]) == 32
    assert others.inputs["conditions"] == [{"pathPattern": {"values": ["/*"]}}]
    (refuse,) = others.inputs["actions"]
    assert (refuse["type"], refuse["fixedResponse"]["statusCode"]) == ("fixed-response", "403")


def test_nobody_is_refused_before_the_names_lead_to_it_and_it_is_let_in() -> None:
    found = graph()
    aliases = {record.urn for record in found.of_type(RECORD) if "aliases" in record.inputs}
    assert {*aliases, rules(found)["ours"].urn} <= set(rules(found)["others"].dependencies)
    assert found.one(LISTENER).inputs["defaultActions"][0]["type"] == "forward"


def test_without_it_the_names_lead_to_the_balancer_only_once_that_lets_everybody_in() -> None:
    plain = evaluated("stress", ZONE).graph
    (https,) = (r for r in plain.of_type(LISTENER) if r.inputs["port"] == 443)
    others = rules(plain)["others"]
    assert others.inputs["actions"] == https.inputs["defaultActions"]
    aliases = [record for record in plain.of_type(RECORD) if "aliases" in record.inputs]
    assert aliases
    assert all(others.urn in record.dependencies for record in aliases)
    # Changed in place: one that is deleted would refuse until the end of an update.
    changed = rules(graph())["others"].inputs
    assert {key for key in changed if changed[key] != others.inputs[key]} == {"actions"}


def test_the_header_is_a_secret_wherever_it_stands() -> None:
    deployment = evaluated("stress", ON)
    found = deployment.graph
    value = found.one(DISTRIBUTION).inputs["origins"][0]["customHeaders"][0]["value"]
    holders = {r.type: r.secret_paths for r in found if value in json.dumps(dict(r.inputs))}
    assert holders == {
        DISTRIBUTION: {"origins[0].customHeaders[0].value"},
        RULE: {"conditions[0].httpHeader.values[0]"},
    }
    assert value != deployment.outputs["password"]
    assert value not in json.dumps({k: v for k, v in deployment.outputs.items() if k != "password"})


STEPS = [Passwords((3,), 3), Passwords((3, 4), 3), Passwords((3, 4), 4), Passwords((4,), 4)]


def at(step: Passwords) -> tuple[str, set[str]]:
    """What the distribution sends and what the balancer takes, by the names of their generations."""
    generations = ",".join(map(str, step.accepted))
    found = graph(f"password_generations={generations}", f"published_password_generation={step.published}")
    names = {r.outputs["result"]: r.name for r in found.of_type("random:index/randomPassword:RandomPassword")}
    sent = found.one(DISTRIBUTION).inputs["origins"][0]["customHeaders"][0]["value"]
    taken = rules(found)["ours"].inputs["conditions"][0]["httpHeader"]["values"]
    return names[sent], {names[value] for value in taken}


def test_a_rotation_replaces_the_header_and_no_step_shuts_the_distribution_out() -> None:
    stages = [at(step) for step in STEPS]
    assert stages[0] == ("pypiserver-origin-3", {"pypiserver-origin-3"})
    assert stages[-1] == ("pypiserver-origin-4", {"pypiserver-origin-4"})
    # An edge may be a step behind, or ahead, of the balancer.
    for (sent, taken), (sent_next, taken_next) in pairwise(stages):
        assert {sent, sent_next} <= taken & taken_next


def test_nobody_but_cloudfront_reaches_the_balancer() -> None:
    for more in ((), ("ipv6_enabled=true",)):
        found = graph(*more)
        (group,) = found.one("aws:lb/loadBalancer:LoadBalancer").inputs["securityGroups"]
        (rule,) = (
            r.inputs
            for r in found.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
            if r.inputs["securityGroupId"] == group
        )
        assert (rule["fromPort"], rule["toPort"], rule["ipProtocol"]) == (443, 443, "tcp")
        assert rule["prefixListId"].startswith("pl-")
        # A list counts as 55 of the 60 rules that a group takes.
        assert violations(found, {rule["prefixListId"]}) == []


def test_the_origin_is_the_balancer_over_tls() -> None:
    found = graph()
    (origin,) = found.one(DISTRIBUTION).inputs["origins"]
    assert origin["domainName"] == found.one("aws:lb/loadBalancer:LoadBalancer").outputs["dnsName"]
    config = origin["customOriginConfig"]
    assert (config["originProtocolPolicy"], config["httpsPort"]) == ("https-only", 443)
    assert config["originSslProtocols"] == ["TLSv1.2"]
    assert config["originKeepaliveTimeout"] < found.one("aws:lb/loadBalancer:LoadBalancer").inputs["idleTimeout"]
    # The Host of the request goes with it on every way, and the balancer's certificate stands for that.
    (files,) = found.one(DISTRIBUTION).inputs["orderedCacheBehaviors"]
    requested = found.one("aws:cloudfront/originRequestPolicy:OriginRequestPolicy")
    assert files["originRequestPolicyId"] == requested.id
    assert requested.inputs["headersConfig"] == {"headerBehavior": "whitelist", "headers": {"items": ["Host"]}}


def test_only_package_files_are_kept_and_each_credential_has_its_own() -> None:
    found = graph("cloudfront_max_ttl_s=7200")
    front, policy = found.one(DISTRIBUTION).inputs, found.one(POLICY)
    (files,) = front["orderedCacheBehaviors"]
    assert (files["pathPattern"], files["cachePolicyId"]) == ("/packages/*", policy.id)
    assert (policy.inputs["minTtl"], policy.inputs["defaultTtl"], policy.inputs["maxTtl"]) == (0, 0, 7200)
    assert policy.inputs["parametersInCacheKeyAndForwardedToOrigin"] == {
        "headersConfig": {"headerBehavior": "whitelist", "headers": {"items": ["Authorization"]}},
        "cookiesConfig": {"cookieBehavior": "none"},
        "queryStringsConfig": {"queryStringBehavior": "none"},
        "enableAcceptEncodingBrotli": False,
        "enableAcceptEncodingGzip": False,
    }
    everything_else = front["defaultCacheBehavior"]
    assert everything_else["cachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert everything_else["originRequestPolicyId"] == "216adef6-5c7f-47e4-b989-5492eafa07d3"
    assert "POST" in everything_else["allowedMethods"]
    for behaviour in (files, everything_else):
        assert behaviour["viewerProtocolPolicy"] == "redirect-to-https"
        assert behaviour["compress"] is False


def test_no_error_outlives_its_cause() -> None:
    assert {error["errorCachingMinTtl"] for error in distribution()["customErrorResponses"]} == {0}
    kept = {error["errorCode"] for error in distribution()["customErrorResponses"]}
    assert {403, 404, 500, 502, 503, 504} <= kept


def answered(changed: Graph, path: str, status: int, cache_control: str) -> set[str]:
    """What an edge has kept when the origin has answered so."""
    edge = Edge(changed, lambda *request: (status, {"cache-control": cache_control}, b""))
    edge.request("GET", path)
    return edge.kept_paths


@pytest.mark.parametrize(
    ("changes", "path", "status", "cache_control"),
    [
        ({POLICY: {"minTtl": 60}}, "/packages/a.whl", 200, "private, no-cache"),
        ({POLICY: {"defaultTtl": 60}}, "/packages/", 200, ""),
        ({DISTRIBUTION: {"customErrorResponses": []}}, "/packages/a.whl", 404, ""),
        ({DISTRIBUTION: {"orderedCacheBehaviors": "for every path"}}, "/simple/a/", 200, "max-age=60"),
    ],
)
def test_the_model_of_an_edge_shows_what_a_wrong_distribution_would_keep(
    changes: dict[str, Any], path: str, status: int, cache_control: str
) -> None:
    right = graph()
    assert answered(right, path, status, cache_control) == set()
    ((type_, inputs),) = changes.items()
    resource = right.one(type_)
    if inputs.get("orderedCacheBehaviors"):
        (files,) = resource.inputs["orderedCacheBehaviors"]
        inputs = {"orderedCacheBehaviors": [{**files, "pathPattern": "*"}]}
    wrong = Graph({**right.resources, resource.urn: replace(resource, inputs={**resource.inputs, **inputs})})
    assert answered(wrong, path, status, cache_control) == {path}


def test_the_web_acl_is_where_the_clients_own_addresses_are_seen() -> None:
    found = graph("waf_enabled=true")
    acl = found.one(WEB_ACL)
    assert (acl.inputs["scope"], acl.inputs["region"]) == ("CLOUDFRONT", US_EAST_1)
    assert found.one(DISTRIBUTION).inputs["webAclId"] == acl.outputs["arn"]
    assert not found.of_type("aws:wafv2/webAclAssociation:WebAclAssociation")
    assert "webAclId" not in distribution()


def test_its_logs_go_to_the_bucket_of_the_balancers() -> None:
    found = graph()
    bucket = found.one("aws:s3/bucket:Bucket").outputs["arn"]
    source = found.one("aws:cloudwatch/logDeliverySource:LogDeliverySource")
    destination = found.one("aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination")
    delivery = found.one("aws:cloudwatch/logDelivery:LogDelivery")
    assert source.inputs["resourceArn"] == found.one(DISTRIBUTION).outputs["arn"]
    assert destination.inputs["deliveryDestinationConfiguration"] == {"destinationResourceArn": bucket}
    assert delivery.inputs["deliverySourceName"] == source.outputs["name"]
    assert delivery.inputs["deliveryDestinationArn"] == destination.outputs["arn"]
    assert {r.inputs["region"] for r in (source, destination, delivery)} == {US_EAST_1}
    policy = found.one("aws:s3/bucketPolicy:BucketPolicy")
    assert policy.urn in delivery.dependencies
    (writes,) = (s for s in json.loads(policy.inputs["policy"])["Statement"] if s["Sid"] == "CloudFrontWrites")
    assert writes["Principal"] == {"Service": "delivery.logs.amazonaws.com"}
    assert writes["Condition"]["StringEquals"]["aws:SourceAccount"] == "123456789012"
    assert writes["Condition"]["ArnLike"] == {"aws:SourceArn": "arn:aws:logs:us-east-1:123456789012:delivery-source:*"}
    plain = json.loads(evaluated("stress", ZONE).graph.one("aws:s3/bucketPolicy:BucketPolicy").inputs["policy"])
    assert "CloudFrontWrites" not in {statement["Sid"] for statement in plain["Statement"]}


def test_settings_reach_it() -> None:
    front = distribution("cloudfront_price_class=PriceClass_200")
    assert (front["priceClass"], front["httpVersion"], front["isIpv6Enabled"]) == ("PriceClass_200", "http2and3", True)
    assert distribution()["priceClass"] == "PriceClass_100"
