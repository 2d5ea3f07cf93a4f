"""Network, load balancer, names, certificates, CloudFront and firewall: what the provider would compute."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from bench.deployment.local_cloud.computed.origin import (
    ACCOUNT_ID,
    Compute,
    Computed,
    Inputs,
    Origin,
    arn,
    global_arn,
    template,
)


def _launch_template(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_, computed = template("lt-0{digest:.16}", name="{name}", arn=arn("ec2", "launch-template/{id}"))(origin, inputs)
    return id_, {**computed, "latestVersion": origin.revision}


def _route(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    destination = inputs.get("destinationCidrBlock") or inputs["destinationIpv6CidrBlock"]
    return f"r-{inputs['routeTableId']}{destination}", {"state": "active", "origin": "CreateRoute"}


def _vpc(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    addresses = {}
    if inputs.get("assignGeneratedIpv6CidrBlock"):
        addresses["ipv6CidrBlock"] = "2600:1f14:{digest:.4}:" + f"{origin.digest[4:6]}00::/56"
    return template(
        "vpc-0{digest:.16}",
        arn=arn("ec2", "vpc/{id}"),
        defaultSecurityGroupId="sg-0{digest:.16}",
        **addresses,
    )(origin, inputs)


def _vpc_endpoint(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    is_gateway = inputs.get("vpcEndpointType", "Gateway") == "Gateway"
    prefix_list = {"prefixListId": "pl-{digest:.8}"} if is_gateway else {}
    return template("vpce-0{digest:.16}", arn=arn("ec2", "vpc-endpoint/{id}"), **prefix_list)(origin, inputs)


def _load_balancer(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    internal = "internal-" if inputs.get("internal") else ""
    return template(
        arn("elasticloadbalancing", "loadbalancer/app/{name}/{digest:.16}"),
        name="{name}",
        arn="{id}",
        arnSuffix="app/{name}/{digest:.16}",
        dnsName=f"{internal}{{name}}-{int(origin.digest[:8], 16)}.{{region}}.elb.amazonaws.com",
        zoneId="Z{DIGEST:.13}",
    )(origin, inputs)


def _listener(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    listener = f"{inputs['loadBalancerArn']}/{origin.digest[:16]}".replace(":loadbalancer/", ":listener/")
    return listener, {"arn": listener}


def _listener_rule(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    rule = f"{inputs['listenerArn']}/{origin.digest[:16]}".replace(":listener/", ":listener-rule/")
    return rule, {"arn": rule}


def _record(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    host = inputs["name"].rstrip(".")
    return f"{inputs['zoneId']}_{host}_{inputs['type']}", {"fqdn": host}


def _certificate(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    certificate = origin.arn("acm", f"certificate/{origin.uuid}")
    hosts = [inputs["domainName"], *inputs.get("subjectAlternativeNames", ())]
    # As with AWS, the same name has the same record for each certificate of an account; they come in no useful order.
    options = [
        {
            "domainName": host,
            "resourceRecordName": f"_{_hash(ACCOUNT_ID, host)}.{host}.",
            "resourceRecordType": "CNAME",
            "resourceRecordValue": f"_{_hash(host, ACCOUNT_ID)}.acm-validations.aws.",
        }
        for host in reversed(hosts)
    ]
    return certificate, {"arn": certificate, "domainValidationOptions": options, "status": "PENDING_VALIDATION"}


def _hash(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def _web_acl(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    scope = "global" if inputs["scope"] == "CLOUDFRONT" else "regional"
    id_, computed = template("{uuid}", name="{name}", arn=arn("wafv2", f"{scope}/webacl/{{name}}/{{id}}"))(
        origin, inputs
    )
    return id_, {**computed, "capacity": 2}


def _of_ec2(prefix: str, path: str) -> Compute:
    return template(prefix + "-0{digest:.16}", arn=arn("ec2", path + "/{id}"))


def _of_cloudfront(path: str) -> Compute:
    return template("{uuid}", name="{name}", arn=global_arn("cloudfront", path + "/{id}"))


RESOURCES: Mapping[str, Compute] = {
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _of_ec2("sg", "security-group"),
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": template("eigw-0{digest:.16}"),
    "aws:ec2/eip:Eip": template("eipalloc-0{digest:.16}"),
    "aws:ec2/flowLog:FlowLog": _of_ec2("fl", "vpc-flow-log"),
    "aws:ec2/internetGateway:InternetGateway": _of_ec2("igw", "internet-gateway"),
    "aws:ec2/launchTemplate:LaunchTemplate": _launch_template,
    "aws:ec2/natGateway:NatGateway": template("nat-0{digest:.16}"),
    "aws:ec2/route:Route": _route,
    "aws:ec2/routeTable:RouteTable": _of_ec2("rtb", "route-table"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": template("{logical_name}-{digest:.8}"),
    "aws:ec2/securityGroup:SecurityGroup": _of_ec2("sg", "security-group"),
    "aws:ec2/subnet:Subnet": _of_ec2("subnet", "subnet"),
    "aws:ec2/vpc:Vpc": _vpc,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _vpc_endpoint,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _of_ec2("sgr", "security-group-rule"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _of_ec2("sgr", "security-group-rule"),
    "aws:lb/listener:Listener": _listener,
    "aws:lb/listenerRule:ListenerRule": _listener_rule,
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:lb/targetGroup:TargetGroup": template(
        arn("elasticloadbalancing", "targetgroup/{name}/{digest:.16}"),
        name="{name}",
        arn="{id}",
        arnSuffix="targetgroup/{name}/{digest:.16}",
    ),
    "aws:route53/record:Record": _record,
    "aws:acm/certificate:Certificate": _certificate,
    "aws:acm/certificateValidation:CertificateValidation": template("2026-01-01 00:00:00 +0000 UTC"),
    "aws:cloudfront/cachePolicy:CachePolicy": _of_cloudfront("cache-policy"),
    "aws:cloudfront/distribution:Distribution": template(
        "E{DIGEST:.13}",
        arn=global_arn("cloudfront", "distribution/{id}"),
        domainName="d{digest:.13}.cloudfront.net",
        hostedZoneId="Z2FDTNDATAQYW2",  # that of every distribution
        status="Deployed",
    ),
    "aws:cloudfront/originRequestPolicy:OriginRequestPolicy": _of_cloudfront("origin-request-policy"),
    "aws:wafv2/webAcl:WebAcl": _web_acl,
    "aws:wafv2/webAclAssociation:WebAclAssociation": template("{webAclArn},{resourceArn}"),
}
