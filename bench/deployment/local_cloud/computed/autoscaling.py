"""What AWS computes for the group of hosts."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import named
from bench.deployment.local_cloud.computed.origin import Compute

RESOURCES: Mapping[str, Compute] = {
    "aws:autoscaling/group:Group": named("autoscaling", "autoScalingGroup:autoScalingGroupName/"),
}
