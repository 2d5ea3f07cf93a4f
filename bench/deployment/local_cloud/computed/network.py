"""Network, load balancer, names, certificates, CloudFront and firewall: what the provider would compute."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import association, hex_id, uuid_of, with_arn
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _launch_template(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"lt-0{origin.digest[:16]}"
    name = inputs.get("name", origin.physical_name)
    return id_, {"name": name, "arn": origin.arn("ec2", f"launch-template/{id_}"), "latestVersion": origin.revision}


def _route(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    destination = inputs.get("destinationCidrBlock") or inputs["destinationIpv6CidrBlock"]
    return f"r-{inputs['routeTableId']}{destination}", {"state": "active", "origin": "CreateRoute"}


def _vpc(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"vpc-0{origin.digest[:16]}"
    computed = {
        "arn": origin.arn("ec2", f"vpc/{id_}"),
        "defaultSecurityGroupId": f"sg-0{origin.digest[:16]}",
    }
    if inputs.get("assignGeneratedIpv6CidrBlock"):
        computed["ipv6CidrBlock"] = f"2600:1f14:{origin.digest[:4]}:{origin.digest[4:6]}00::/56"
    return id_, computed


def _vpc_endpoint(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"vpce-0{origin.digest[:16]}"
    computed = {"arn": origin.arn("ec2", f"vpc-endpoint/{id_}")}
    if inputs.get("vpcEndpointType", "Gateway") == "Gateway":
        computed["prefixListId"] = f"pl-{origin.digest[:8]}"
    return id_, computed


def _load_balancer(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", origin.physical_name)
    suffix = f"app/{name}/{origin.digest[:16]}"
    arn = origin.arn("elasticloadbalancing", f"loadbalancer/{suffix}")
    internal = "internal-" if inputs.get("internal") else ""
    return arn, {
        "name": name,
        "arn": arn,
        "arnSuffix": suffix,
        "dnsName": f"{internal}{name}-{int(origin.digest[:8], 16)}.{origin.region}.elb.amazonaws.com",
        "zoneId": f"Z{origin.digest[:13].upper()}",
    }


def _target_group(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", origin.physical_name)
    suffix = f"targetgroup/{name}/{origin.digest[:16]}"
    arn = origin.arn("elasticloadbalancing", suffix)
    return arn, {"name": name, "arn": arn, "arnSuffix": suffix}


def _listener(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    arn = f"{inputs['loadBalancerArn']}/{origin.digest[:16]}".replace(":loadbalancer/", ":listener/")
    return arn, {"arn": arn}


def _listener_rule(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    arn = f"{inputs['listenerArn']}/{origin.digest[:16]}".replace(":listener/", ":listener-rule/")
    return arn, {"arn": arn}


def _record(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    host = inputs["name"].rstrip(".")
    return f"{inputs['zoneId']}_{host}_{inputs['type']}", {"fqdn": host}


def _certificate(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    arn = origin.arn("acm", f"certificate/{uuid_of(origin)}")
    hosts = [inputs["domainName"], *inputs.get("subjectAlternativeNames", ())]
    # As with AWS, the same name has the same record for each certificate of an account; they come in no useful order.
    options = [
        {
            "domainName": host,
            "resourceRecordName": f"_{_hash(origin.account, host)}.{host}.",
            "resourceRecordType": "CNAME",
            "resourceRecordValue": f"_{_hash(host, origin.account)}.acm-validations.aws.",
        }
        for host in reversed(hosts)
    ]
    return arn, {"arn": arn, "domainValidationOptions": options, "status": "PENDING_VALIDATION"}


def _hash(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def _certificate_validation(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    return "2026-01-01 00:00:00 +0000 UTC", {}


def _distribution(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"E{origin.digest[:13].upper()}"
    return id_, {
        "arn": origin.arn("cloudfront", f"distribution/{id_}", regional=False),
        "domainName": f"d{origin.digest[:13]}.cloudfront.net",
        "hostedZoneId": "Z2FDTNDATAQYW2",  # that of every distribution
        "status": "Deployed",
    }


def _policy(path: str) -> Compute:
    def compute(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
        id_ = uuid_of(origin)
        name = inputs.get("name", origin.physical_name)
        return id_, {"name": name, "arn": origin.arn("cloudfront", f"{path}/{id_}", regional=False)}

    return compute


def _web_acl(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", origin.physical_name)
    id_ = uuid_of(origin)
    scope = "global" if inputs["scope"] == "CLOUDFRONT" else "regional"
    return id_, {"name": name, "arn": origin.arn("wafv2", f"{scope}/webacl/{name}/{id_}"), "capacity": 2}


RESOURCES: Mapping[str, Compute] = {
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": with_arn("sg", "ec2", "security-group"),
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": hex_id("eigw"),
    "aws:ec2/eip:Eip": hex_id("eipalloc"),
    "aws:ec2/flowLog:FlowLog": with_arn("fl", "ec2", "vpc-flow-log"),
    "aws:ec2/internetGateway:InternetGateway": with_arn("igw", "ec2", "internet-gateway"),
    "aws:ec2/launchTemplate:LaunchTemplate": _launch_template,
    "aws:ec2/natGateway:NatGateway": hex_id("nat"),
    "aws:ec2/route:Route": _route,
    "aws:ec2/routeTable:RouteTable": with_arn("rtb", "ec2", "route-table"),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": association,
    "aws:ec2/securityGroup:SecurityGroup": with_arn("sg", "ec2", "security-group"),
    "aws:ec2/subnet:Subnet": with_arn("subnet", "ec2", "subnet"),
    "aws:ec2/vpc:Vpc": _vpc,
    "aws:ec2/vpcEndpoint:VpcEndpoint": _vpc_endpoint,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": with_arn("sgr", "ec2", "security-group-rule"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": with_arn("sgr", "ec2", "security-group-rule"),
    "aws:lb/listener:Listener": _listener,
    "aws:lb/listenerRule:ListenerRule": _listener_rule,
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:lb/targetGroup:TargetGroup": _target_group,
    "aws:route53/record:Record": _record,
    "aws:acm/certificate:Certificate": _certificate,
    "aws:acm/certificateValidation:CertificateValidation": _certificate_validation,
    "aws:cloudfront/cachePolicy:CachePolicy": _policy("cache-policy"),
    "aws:cloudfront/distribution:Distribution": _distribution,
    "aws:cloudfront/originRequestPolicy:OriginRequestPolicy": _policy("origin-request-policy"),
    "aws:wafv2/webAcl:WebAcl": _web_acl,
    "aws:wafv2/webAclAssociation:WebAclAssociation": lambda origin, inputs: (
        f"{inputs['webAclArn']},{inputs['resourceArn']}",
        {},
    ),
}
