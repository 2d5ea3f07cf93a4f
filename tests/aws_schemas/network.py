"""The types of the network and the balancer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.aws_schemas.compute import PROVIDERS_OWN
from tests.aws_schemas.mapped import REGION, Mapped, Properties, document

_UNTAGGED_THERE = "AWS takes them, CloudFormation does not."


def _redirect_codes(redirect: Mapping[str, Any]) -> dict[str, Any]:
    return {key[:1].upper() + key[1:]: value for key, value in redirect.items()}


def _named_conditions(properties: Properties) -> Properties:
    """There a condition says which field it is about."""
    fields = {"HttpHeaderConfig": "http-header", "PathPatternConfig": "path-pattern"}
    conditions = [
        {"Field": fields[config], config: of} for one in properties["Conditions"] for config, of in one.items()
    ]
    return {**properties, "Conditions": conditions}


NETWORK = {
    "aws:acm/certificate:Certificate": Mapped(
        "AWS::CertificateManager::Certificate",
        omitted={"options": "Transparency logging has a property of its own.", **REGION},
    ),
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": Mapped("AWS::EC2::EgressOnlyInternetGateway"),
    "aws:ec2/eip:Eip": Mapped("AWS::EC2::EIP"),
    "aws:ec2/flowLog:FlowLog": Mapped(
        "AWS::EC2::FlowLog",
        names={"iamRoleArn": "DeliverLogsPermissionArn", "vpcId": "ResourceId"},
        whole=lambda properties: {"ResourceType": "VPC", **properties},
    ),
    "aws:ec2/internetGateway:InternetGateway": Mapped(
        "AWS::EC2::InternetGateway", omitted={"vpcId": "CloudFormation attaches it by a resource of its own."}
    ),
    "aws:ec2/natGateway:NatGateway": Mapped("AWS::EC2::NatGateway"),
    "aws:ec2/route:Route": Mapped("AWS::EC2::Route", names={"egressOnlyGatewayId": "EgressOnlyInternetGatewayId"}),
    "aws:ec2/routeTable:RouteTable": Mapped("AWS::EC2::RouteTable"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Mapped("AWS::EC2::SubnetRouteTableAssociation"),
    "aws:ec2/securityGroup:SecurityGroup": Mapped(
        "AWS::EC2::SecurityGroup",
        names={"name": "GroupName", "description": "GroupDescription"},
        omitted={"revokeRulesOnDelete": PROVIDERS_OWN},
    ),
    "aws:ec2/subnet:Subnet": Mapped("AWS::EC2::Subnet"),
    "aws:ec2/vpc:Vpc": Mapped(
        "AWS::EC2::VPC",
        omitted={"assignGeneratedIpv6CidrBlock": "CloudFormation has a resource of its own for it."},
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Mapped(
        "AWS::EC2::VPCEndpoint", names={"policy": "PolicyDocument"}, values={"policy": document}
    ),
    "aws:lb/listener:Listener": Mapped(
        "AWS::ElasticLoadBalancingV2::Listener",
        names={
            "certificateArn": "Certificates",
            "defaultActions.redirect": "RedirectConfig",
            "defaultActions.forward": "ForwardConfig",
        },
        values={"certificateArn": lambda arn: [{"CertificateArn": arn}], "defaultActions.redirect": _redirect_codes},
    ),
    "aws:lb/listenerRule:ListenerRule": Mapped(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        names={
            "actions.fixedResponse": "FixedResponseConfig",
            "conditions.httpHeader": "HttpHeaderConfig",
            "conditions.pathPattern": "PathPatternConfig",
        },
        whole=_named_conditions,
    ),
    "aws:lb/loadBalancer:LoadBalancer": Mapped(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        names={"name": "Name", "internal": "Scheme", "loadBalancerType": "Type"},
        values={"internal": lambda internal: "internal" if internal else "internet-facing"},
        attribute_list="LoadBalancerAttributes",
        attributes={
            "accessLogs.bucket": "access_logs.s3.bucket",
            "accessLogs.enabled": "access_logs.s3.enabled",
            "accessLogs.prefix": "access_logs.s3.prefix",
            "clientKeepAlive": "client_keep_alive.seconds",
            "desyncMitigationMode": "routing.http.desync_mitigation_mode",
            "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
            "enableDeletionProtection": "deletion_protection.enabled",
            "enableHttp2": "routing.http2.enabled",
            "enableXffClientPort": "routing.http.xff_client_port.enabled",
            "enableWafFailOpen": "waf.fail_open.enabled",
            "idleTimeout": "idle_timeout.timeout_seconds",
            "preserveHostHeader": "routing.http.preserve_host_header.enabled",
            "xffHeaderProcessingMode": "routing.http.xff_header_processing.mode",
        },
        whole=lambda properties: {key: value for key, value in properties.items() if key != "AccessLogs"},
    ),
    "aws:lb/targetGroup:TargetGroup": Mapped(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        names={
            "name": "Name",
            "healthCheck": "^",
            "healthCheck.enabled": "HealthCheckEnabled",
            "healthCheck.healthyThreshold": "HealthyThresholdCount",
            "healthCheck.interval": "HealthCheckIntervalSeconds",
            "healthCheck.matcher": "Matcher.HttpCode",
            "healthCheck.path": "HealthCheckPath",
            "healthCheck.port": "HealthCheckPort",
            "healthCheck.protocol": "HealthCheckProtocol",
            "healthCheck.timeout": "HealthCheckTimeoutSeconds",
            "healthCheck.unhealthyThreshold": "UnhealthyThresholdCount",
            "stickiness": "^",
        },
        attribute_list="TargetGroupAttributes",
        attributes={
            "deregistrationDelay": "deregistration_delay.timeout_seconds",
            "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
            "loadBalancingAnomalyMitigation": "load_balancing.algorithm.anomaly_mitigation",
            "slowStart": "slow_start.duration_seconds",
            "stickiness.cookieDuration": "stickiness.lb_cookie.duration_seconds",
            "stickiness.enabled": "stickiness.enabled",
            "stickiness.type": "stickiness.type",
        },
    ),
    "aws:route53/record:Record": Mapped(
        "AWS::Route53::RecordSet",
        names={
            "zoneId": "HostedZoneId",
            "records": "ResourceRecords",
            "ttl": "TTL",
            "aliases": "AliasTarget",
            "aliases.name": "DNSName",
            "aliases.zoneId": "HostedZoneId",
        },
        values={
            "aliases": lambda aliases: {
                "DNSName": aliases[0]["name"],
                "HostedZoneId": aliases[0]["zoneId"],
                "EvaluateTargetHealth": aliases[0]["evaluateTargetHealth"],
            }
        },
        omitted={"allowOverwrite": PROVIDERS_OWN},
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": Mapped(
        "AWS::EC2::SecurityGroupEgress",
        names={
            "securityGroupId": "GroupId",
            "cidrIpv4": "CidrIp",
            "prefixListId": "DestinationPrefixListId",
            "referencedSecurityGroupId": "DestinationSecurityGroupId",
        },
        omitted={"tags": _UNTAGGED_THERE},
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": Mapped(
        "AWS::EC2::SecurityGroupIngress",
        names={
            "securityGroupId": "GroupId",
            "cidrIpv4": "CidrIp",
            "prefixListId": "SourcePrefixListId",
            "referencedSecurityGroupId": "SourceSecurityGroupId",
        },
        omitted={"tags": _UNTAGGED_THERE},
    ),
}
