"""The web ACL: one rule, on the rate of an address."""

from __future__ import annotations

from tests.pypiserver_stack.support.evaluation import evaluated

WEB_ACL = "aws:wafv2/webAcl:WebAcl"
ASSOCIATION = "aws:wafv2/webAclAssociation:WebAclAssociation"


def test_there_is_none_unless_asked_for() -> None:
    found = evaluated().graph
    assert not found.of_type(WEB_ACL)
    assert not found.of_type(ASSOCIATION)


def test_it_stands_before_the_balancer() -> None:
    found = evaluated("stress", ("waf_enabled=true",)).graph
    assert found.one(ASSOCIATION).inputs == {
        "resourceArn": found.one("aws:lb/loadBalancer:LoadBalancer").outputs["arn"],
        "webAclArn": found.one(WEB_ACL).outputs["arn"],
    }


def test_it_limits_an_address_and_looks_at_nothing_else() -> None:
    found = evaluated("stress", ("waf_enabled=true", "waf_rate_limit_per_5_min=20000")).graph
    acl = found.one(WEB_ACL).inputs
    assert (acl["scope"], acl["defaultAction"]) == ("REGIONAL", {"allow": {}})
    (rule,) = acl["rules"]
    assert rule["statement"] == {
        "rateBasedStatement": {"aggregateKeyType": "IP", "limit": 20000, "evaluationWindowSec": 300}
    }
    for counted in (acl, rule):
        assert counted["visibilityConfig"]["cloudwatchMetricsEnabled"] is True


def test_who_is_too_fast_is_told_to_come_back() -> None:
    (rule,) = evaluated("stress", ("waf_enabled=true",)).graph.one(WEB_ACL).inputs["rules"]
    assert rule["action"] == {
        "block": {"customResponse": {"responseCode": 429, "responseHeaders": [{"name": "Retry-After", "value": "60"}]}}
    }
