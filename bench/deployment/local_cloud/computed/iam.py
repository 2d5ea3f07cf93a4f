"""What AWS computes for roles and their policies."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import named
from bench.deployment.local_cloud.computed.origin import Compute

RESOURCES: Mapping[str, Compute] = {
    "aws:iam/instanceProfile:InstanceProfile": named("iam", "instance-profile/", regional=False),
    "aws:iam/role:Role": named("iam", "role/", regional=False),
    "aws:iam/rolePolicy:RolePolicy": lambda origin, inputs: (f"{inputs['role']}:{origin.physical_name}", {}),
}
