"""docs/security.md names every service of AWS that somebody who deploys needs rights in."""

from __future__ import annotations

import re

from bench.deployment.local_cloud.computed import RESOURCES
from bench.deployment.local_cloud.computed.functions import FUNCTIONS
from tests.pypiserver_stack.support.evaluation import ROOT

# What a policy calls the service, where Pulumi calls it otherwise, or has parts of several under one name.
SERVICES = {
    "appautoscaling": "application-autoscaling",
    "efs": "elasticfilesystem",
    "lb": "elasticloadbalancing",
    "vpc": "ec2",
}
# Whoever has credentials may ask who it is; regions come from the SDK, zones from EC2.
NO_RIGHTS = {"aws:index/getCallerIdentity:getCallerIdentity", "aws:index/getRegion:getRegion"}


def service(type_: str) -> str:
    """From a type of resource or a function of Pulumi's to the first part of an action in a policy."""
    module, name = type_.removeprefix("aws:").split(":")[0].split("/")
    if module == "cloudwatch" and name.startswith(("log", "query")):
        return "logs"
    return "ec2" if module == "index" else SERVICES.get(module, module)


def test_every_service_has_a_row() -> None:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    section = page.partition("## Who deploys\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z0-9-]+)`", section, re.MULTILINE)
    used = {type_ for type_ in (*RESOURCES, *FUNCTIONS) if type_.startswith("aws:")} - NO_RIGHTS
    assert rows == sorted({service(type_) for type_ in used})
