"""What AWS computes for the load balancer."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


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


RESOURCES: Mapping[str, Compute] = {
    "aws:lb/listener:Listener": _listener,
    "aws:lb/listenerRule:ListenerRule": _listener_rule,
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:lb/targetGroup:TargetGroup": _target_group,
}
