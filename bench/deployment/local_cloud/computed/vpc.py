"""What AWS computes for the rules of security groups, which the provider has in a module of their own."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import with_arn
from bench.deployment.local_cloud.computed.origin import Compute

RESOURCES: Mapping[str, Compute] = {
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": with_arn("sgr", "ec2", "security-group-rule"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": with_arn("sgr", "ec2", "security-group-rule"),
}
