"""What AWS computes for certificates."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import uuid_of
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _certificate(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    arn = origin.arn("acm", f"certificate/{uuid_of(origin)}")
    hosts = [inputs["domainName"], *inputs.get("subjectAlternativeNames", ())]
    # As with AWS, the same name has the same record for each certificate of an account; they come in no useful order.
    options = [
        {
            "domainName": host,
            "resourceRecordName": f"_{_hash(origin.account, host)}.{host}.",
            "resourceRecordType": "CNAME",
            "resourceRecordValue": f"_{_hash(host, origin.account)}.acm-validations.aws.",
        }
        for host in reversed(hosts)
    ]
    return arn, {"arn": arn, "domainValidationOptions": options, "status": "PENDING_VALIDATION"}


def _hash(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def _certificate_validation(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    return "2026-01-01 00:00:00 +0000 UTC", {}


RESOURCES: Mapping[str, Compute] = {
    "aws:acm/certificate:Certificate": _certificate,
    "aws:acm/certificateValidation:CertificateValidation": _certificate_validation,
}
