"""Images in private registries of ECR, which alone are pulled with a role and through endpoints."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The FIPS names of the registries are left out: no endpoint of the stack's own VPC answers to them.
_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)", re.ASCII)


@dataclass(frozen=True)
class Repository:
    """A repository of a private registry."""

    account: str
    region: str
    name: str


def repository(image: str) -> Repository | None:
    """Where an image is pulled from, where that is a private registry of ECR."""
    found = _IMAGE.match(image)
    return Repository(*found.groups()) if found else None
