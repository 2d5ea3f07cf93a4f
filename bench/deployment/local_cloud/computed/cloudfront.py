"""What AWS computes for CloudFront."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import uuid_of
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _distribution(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    id_ = f"E{origin.digest[:13].upper()}"
    return id_, {
        "arn": origin.arn("cloudfront", f"distribution/{id_}", regional=False),
        "domainName": f"d{origin.digest[:13]}.cloudfront.net",
        "hostedZoneId": "Z2FDTNDATAQYW2",  # that of every distribution
        "status": "Deployed",
    }


def _policy(path: str) -> Compute:
    def compute(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
        id_ = uuid_of(origin)
        name = inputs.get("name", origin.physical_name)
        return id_, {"name": name, "arn": origin.arn("cloudfront", f"{path}/{id_}", regional=False)}

    return compute


RESOURCES: Mapping[str, Compute] = {
    "aws:cloudfront/cachePolicy:CachePolicy": _policy("cache-policy"),
    "aws:cloudfront/distribution:Distribution": _distribution,
    "aws:cloudfront/originRequestPolicy:OriginRequestPolicy": _policy("origin-request-policy"),
}
