"""What AWS computes for roles and their policies."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.identity import Compute
from bench.deployment.local_cloud.computed.ids import named

RESOURCES: Mapping[str, Compute] = {
    "aws:iam/instanceProfile:InstanceProfile": named("iam", "instance-profile/", regional=False),
    "aws:iam/role:Role": named("iam", "role/", regional=False),
    "aws:iam/rolePolicy:RolePolicy": lambda identity, inputs: (f"{inputs['role']}:{identity.physical_name}", {}),
}
