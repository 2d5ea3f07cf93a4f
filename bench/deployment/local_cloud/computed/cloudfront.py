"""What AWS computes for CloudFront."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.identity import Compute, Computed, Identity, Inputs
from bench.deployment.local_cloud.computed.ids import uuid_of


def _distribution(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"E{identity.digest[:13].upper()}"
    return id_, {
        "arn": identity.arn("cloudfront", f"distribution/{id_}", regional=False),
        "domainName": f"d{identity.digest[:13]}.cloudfront.net",
        "hostedZoneId": "Z2FDTNDATAQYW2",  # that of every distribution
        "status": "Deployed",
    }


def _policy(path: str) -> Compute:
    def compute(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
        id_ = uuid_of(identity)
        name = inputs.get("name", identity.physical_name)
        return id_, {"name": name, "arn": identity.arn("cloudfront", f"{path}/{id_}", regional=False)}

    return compute


RESOURCES: Mapping[str, Compute] = {
    "aws:cloudfront/cachePolicy:CachePolicy": _policy("cache-policy"),
    "aws:cloudfront/distribution:Distribution": _distribution,
    "aws:cloudfront/originRequestPolicy:OriginRequestPolicy": _policy("origin-request-policy"),
}
