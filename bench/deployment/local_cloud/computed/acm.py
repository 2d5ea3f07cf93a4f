"""What AWS computes for certificates."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from bench.deployment.local_cloud.computed.identity import Compute, Computed, Identity, Inputs
from bench.deployment.local_cloud.computed.ids import uuid_of


def _certificate(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    arn = identity.arn("acm", f"certificate/{uuid_of(identity)}")
    hosts = [inputs["domainName"], *inputs.get("subjectAlternativeNames", ())]
    # As with AWS, the same name has the same record for each certificate of an account; they come in no useful order.
    options = [
        {
            "domainName": host,
            "resourceRecordName": f"_{_hash(identity.account, host)}.{host}.",
            "resourceRecordType": "CNAME",
            "resourceRecordValue": f"_{_hash(host, identity.account)}.acm-validations.aws.",
        }
        for host in reversed(hosts)
    ]
    return arn, {"arn": arn, "domainValidationOptions": options, "status": "PENDING_VALIDATION"}


def _hash(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def _certificate_validation(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    return "2026-01-01 00:00:00 +0000 UTC", {}


RESOURCES: Mapping[str, Compute] = {
    "aws:acm/certificate:Certificate": _certificate,
    "aws:acm/certificateValidation:CertificateValidation": _certificate_validation,
}
