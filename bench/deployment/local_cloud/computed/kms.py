"""What AWS computes for keys."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.identity import Compute, Computed, Identity, Inputs
from bench.deployment.local_cloud.computed.ids import uuid_of


def _kms_key(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = uuid_of(identity)
    return id_, {"keyId": id_, "arn": identity.arn("kms", f"key/{id_}")}


RESOURCES: Mapping[str, Compute] = {
    "aws:kms/key:Key": _kms_key,
}
