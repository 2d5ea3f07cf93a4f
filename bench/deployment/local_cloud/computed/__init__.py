"""Values that AWS would compute: ids, ARNs, DNS names and the answers to provider functions.

Each file holds the resource types of one area. An entry in its `RESOURCES` is all that a new type needs here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud.computed import compute, monitoring, network, security, storage
from bench.deployment.local_cloud.computed.functions import answer
from bench.deployment.local_cloud.computed.origin import ACCOUNT_ID, REGION, Compute, Computed, Inputs, Origin

__all__ = ["ACCOUNT_ID", "REGION", "RESOURCES", "Computed", "Inputs", "Origin", "answer", "computed_outputs"]

RESOURCES: Mapping[str, Compute] = {
    **compute.RESOURCES,
    **monitoring.RESOURCES,
    **network.RESOURCES,
    **security.RESOURCES,
    **storage.RESOURCES,
}


def computed_outputs(type_: str, origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    """The id and the computed outputs of a resource of this type.

    Raises:
        CloudError: no file here has an entry for this type.
    """
    compute_outputs = RESOURCES.get(type_)
    if compute_outputs is None:
        raise CloudError(
            f"the local cloud does not know the resource type {type_}: "
            "add it to a file of bench/deployment/local_cloud/computed"
        )
    # A resource may be kept in another region than the stack's own.
    return compute_outputs(replace(origin, region=inputs.get("region", origin.region)), inputs)
