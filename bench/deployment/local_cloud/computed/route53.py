"""What AWS computes for records."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _record(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    host = inputs["name"].rstrip(".")
    return f"{inputs['zoneId']}_{host}_{inputs['type']}", {"fqdn": host}


RESOURCES: Mapping[str, Compute] = {
    "aws:route53/record:Record": _record,
}
