"""What AWS computes for the load balancer."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.identity import Compute, Computed, Identity, Inputs


def _load_balancer(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    suffix = f"app/{name}/{identity.digest[:16]}"
    arn = identity.arn("elasticloadbalancing", f"loadbalancer/{suffix}")
    internal = "internal-" if inputs.get("internal") else ""
    return arn, {
        "name": name,
        "arn": arn,
        "arnSuffix": suffix,
        "dnsName": f"{internal}{name}-{int(identity.digest[:8], 16)}.{identity.region}.elb.amazonaws.com",
        "zoneId": f"Z{identity.digest[:13].upper()}",
    }


def _target_group(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    suffix = f"targetgroup/{name}/{identity.digest[:16]}"
    arn = identity.arn("elasticloadbalancing", suffix)
    return arn, {"name": name, "arn": arn, "arnSuffix": suffix}


def _listener(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    arn = f"{inputs['loadBalancerArn']}/{identity.digest[:16]}".replace(":loadbalancer/", ":listener/")
    return arn, {"arn": arn}


def _listener_rule(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    arn = f"{inputs['listenerArn']}/{identity.digest[:16]}".replace(":listener/", ":listener-rule/")
    return arn, {"arn": arn}


RESOURCES: Mapping[str, Compute] = {
    "aws:lb/listener:Listener": _listener,
    "aws:lb/listenerRule:ListenerRule": _listener_rule,
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:lb/targetGroup:TargetGroup": _target_group,
}
