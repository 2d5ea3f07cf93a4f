"""Repositories of private ECR registries."""

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
    """The repository of an image, if it is in a private registry of ECR."""
    found = _IMAGE.match(image)
    return Repository(*found.groups()) if found else None
