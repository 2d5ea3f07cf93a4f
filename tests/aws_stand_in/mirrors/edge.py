"""Balancer, names, certificates and firewall of a stack in the stand-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.deployment.local_cloud import Record
from tests.aws_stand_in import looked_up
from tests.aws_stand_in.mirror import Aws, Mirror, capitals, given, tag_list


def _balancer(aws: Aws, record: Record) -> Mapping[str, Any]:
    elb = aws("elbv2")
    balancer = elb.create_load_balancer(
        Name=record.outputs["name"],
        Subnets=record.inputs["subnets"],
        SecurityGroups=record.inputs["securityGroups"],
        Scheme="internal" if record.inputs.get("internal") else "internet-facing",
        Type="application",
        Tags=tag_list(record),
    )["LoadBalancers"][0]
    arn = balancer["LoadBalancerArn"]
    made = {
        "id": arn,
        "arn": arn,
        "arnSuffix": arn.partition(":loadbalancer/")[2],
        "dnsName": balancer["DNSName"],
        "zoneId": balancer["CanonicalHostedZoneId"],
    }
    _protect(aws, record, arn)
    return made


def _protect(aws: Aws, record: Record, arn: str) -> None:
    value = str(bool(record.inputs.get("enableDeletionProtection"))).lower()
    attribute = {"Key": "deletion_protection.enabled", "Value": value}
    aws("elbv2").modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])


def _target_group(aws: Aws, record: Record) -> Mapping[str, Any]:
    health = record.inputs["healthCheck"]
    arn = aws("elbv2").create_target_group(
        Name=record.outputs["name"],
        **given(record, "port", "protocol", "vpcId", "targetType"),
        HealthCheckPath=health["path"],
        HealthCheckIntervalSeconds=health["interval"],
        HealthCheckTimeoutSeconds=health["timeout"],
        HealthyThresholdCount=health["healthyThreshold"],
        UnhealthyThresholdCount=health["unhealthyThreshold"],
        Tags=tag_list(record),
    )["TargetGroups"][0]["TargetGroupArn"]
    return {"id": arn, "arn": arn, "arnSuffix": arn.rpartition(":")[2]}


def _actions(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    long = {"redirect": "RedirectConfig", "fixedResponse": "FixedResponseConfig"}
    return [{long.get(key, key[0].upper() + key[1:]): capitals(value) for key, value in one.items()} for one in actions]


def _listener(aws: Aws, record: Record) -> Mapping[str, Any]:
    certificate = record.inputs.get("certificateArn")
    if certificate:
        looked_up.certificate(certificate)
    arn = aws("elbv2").create_listener(
        **given(record, "loadBalancerArn", "port", "protocol", "sslPolicy"),
        **({"Certificates": [{"CertificateArn": certificate}]} if certificate else {}),
        DefaultActions=_actions(record.inputs["defaultActions"]),
        Tags=tag_list(record),
    )["Listeners"][0]["ListenerArn"]
    return {"id": arn, "arn": arn}


def _rule(aws: Aws, record: Record) -> Mapping[str, Any]:
    fields = {"httpHeader": "http-header", "pathPattern": "path-pattern"}
    conditions = [
        {"Field": fields[key], f"{key[0].upper()}{key[1:]}Config": capitals(value)}
        for condition in record.inputs["conditions"]
        for key, value in condition.items()
    ]
    arn = aws("elbv2").create_rule(
        ListenerArn=record.inputs["listenerArn"],
        Priority=record.inputs["priority"],
        Conditions=conditions,
        Actions=_actions(record.inputs["actions"]),
        Tags=tag_list(record),
    )["Rules"][0]["RuleArn"]
    return {"id": arn, "arn": arn}


def _record_set(record: Record) -> dict[str, Any]:
    inputs = record.inputs
    name = inputs["name"].rstrip(".") + "."
    if "aliases" in inputs:
        (alias,) = inputs["aliases"]
        target = {
            "DNSName": alias["name"],
            "HostedZoneId": alias["zoneId"],
            "EvaluateTargetHealth": alias["evaluateTargetHealth"],
        }
        return {"Name": name, "Type": inputs["type"], "AliasTarget": target}
    values = [{"Value": value} for value in inputs["records"]]
    return {"Name": name, "Type": inputs["type"], "TTL": inputs["ttl"], "ResourceRecords": values}


def _change_record(action: str) -> Any:
    def change(aws: Aws, record: Record) -> Mapping[str, Any]:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": _record_set(record)}]}
        aws("route53").change_resource_record_sets(HostedZoneId=record.inputs["zoneId"], ChangeBatch=batch)
        return {}

    return change


def _look_for_record(aws: Aws, record: Record) -> bool:
    wanted = _record_set(record)
    found = aws("route53").list_resource_record_sets(HostedZoneId=record.inputs["zoneId"])["ResourceRecordSets"]
    return any(one["Name"] == wanted["Name"] and one["Type"] == wanted["Type"] for one in found)


def _certificate(aws: Aws, record: Record) -> Mapping[str, Any]:
    acm = aws("acm", record)
    arn = acm.request_certificate(
        **given(record, "domainName", "validationMethod", "subjectAlternativeNames"), Tags=tag_list(record)
    )["CertificateArn"]
    options = acm.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"]
    return {
        "id": arn,
        "arn": arn,
        "domainValidationOptions": [
            {
                "domainName": option["DomainName"],
                **{f"resourceRecord{key}": value for key, value in option["ResourceRecord"].items()},
            }
            for option in options
        ],
    }


def _web_acl(aws: Aws, record: Record) -> Mapping[str, Any]:
    rate = {"Limit": 50_000, "AggregateKeyType": "IP"}
    visibility = capitals(record.inputs["visibilityConfig"])
    visibility["CloudWatchMetricsEnabled"] = visibility.pop("CloudwatchMetricsEnabled")
    acl = aws("wafv2", record).create_web_acl(
        Name=record.outputs["name"],
        Scope=record.inputs["scope"],
        DefaultAction={"Allow": {}},
        Rules=[
            {
                "Name": rule["name"],
                "Priority": rule["priority"],
                "Statement": {"RateBasedStatement": rate},
                "Action": {"Block": {}},
                "VisibilityConfig": {**visibility, "MetricName": rule["name"]},
            }
            for rule in record.inputs["rules"]
        ],
        VisibilityConfig=visibility,
        Tags=tag_list(record),
    )["Summary"]
    return {"id": acl["Id"], "arn": acl["ARN"]}


def _web_acl_of(aws: Aws, record: Record) -> Any:
    return aws("wafv2", record).get_web_acl(Name=record.outputs["name"], Scope=record.inputs["scope"], Id=record.id)


def _remove_web_acl(aws: Aws, record: Record) -> None:
    aws("wafv2", record).delete_web_acl(
        Name=record.outputs["name"],
        Scope=record.inputs["scope"],
        Id=record.id,
        LockToken=_web_acl_of(aws, record)["LockToken"],
    )


def _associate(aws: Aws, record: Record) -> Mapping[str, Any]:
    aws("wafv2").associate_web_acl(WebACLArn=record.inputs["webAclArn"], ResourceArn=record.inputs["resourceArn"])
    return {}


MIRRORS: Mapping[str, Mirror] = {
    "aws:lb/loadBalancer:LoadBalancer": Mirror(
        _balancer,
        lambda aws, record: aws("elbv2").delete_load_balancer(LoadBalancerArn=record.id),
        lambda aws, record: aws("elbv2").describe_load_balancers(LoadBalancerArns=[record.id])["LoadBalancers"],
        lambda aws, record: _protect(aws, record, record.id),
    ),
    "aws:lb/targetGroup:TargetGroup": Mirror(
        _target_group,
        lambda aws, record: aws("elbv2").delete_target_group(TargetGroupArn=record.id),
        lambda aws, record: aws("elbv2").describe_target_groups(TargetGroupArns=[record.id])["TargetGroups"],
    ),
    "aws:lb/listener:Listener": Mirror(
        _listener,
        lambda aws, record: aws("elbv2").delete_listener(ListenerArn=record.id),
        lambda aws, record: aws("elbv2").describe_listeners(ListenerArns=[record.id])["Listeners"],
    ),
    "aws:lb/listenerRule:ListenerRule": Mirror(
        _rule,
        lambda aws, record: aws("elbv2").delete_rule(RuleArn=record.id),
        lambda aws, record: aws("elbv2").describe_rules(RuleArns=[record.id])["Rules"],
    ),
    "aws:route53/record:Record": Mirror(
        _change_record("UPSERT"), _change_record("DELETE"), _look_for_record, _change_record("UPSERT")
    ),
    "aws:acm/certificate:Certificate": Mirror(
        _certificate,
        lambda aws, record: aws("acm", record).delete_certificate(CertificateArn=record.id),
        lambda aws, record: aws("acm", record).describe_certificate(CertificateArn=record.id)["Certificate"],
    ),
    "aws:wafv2/webAcl:WebAcl": Mirror(_web_acl, _remove_web_acl, _web_acl_of),
    "aws:wafv2/webAclAssociation:WebAclAssociation": Mirror(
        _associate,
        lambda aws, record: aws("wafv2").disassociate_web_acl(ResourceArn=record.inputs["resourceArn"]),
        lambda aws, record: (
            aws("wafv2").get_web_acl_for_resource(ResourceArn=record.inputs["resourceArn"]).get("WebACL")
        ),
    ),
}
