"""What AWS computes for keys."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import uuid_of
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _kms_key(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = uuid_of(origin)
    return id_, {"keyId": id_, "arn": origin.arn("kms", f"key/{id_}")}


RESOURCES: Mapping[str, Compute] = {
    "aws:kms/key:Key": _kms_key,
}
