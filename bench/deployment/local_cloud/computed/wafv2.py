"""What AWS computes for the firewall."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.ids import uuid_of
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin


def _web_acl(origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", origin.physical_name)
    id_ = uuid_of(origin)
    scope = "global" if inputs["scope"] == "CLOUDFRONT" else "regional"
    return id_, {"name": name, "arn": origin.arn("wafv2", f"{scope}/webacl/{name}/{id_}"), "capacity": 2}


RESOURCES: Mapping[str, Compute] = {
    "aws:wafv2/webAcl:WebAcl": _web_acl,
    "aws:wafv2/webAclAssociation:WebAclAssociation": lambda origin, inputs: (
        f"{inputs['webAclArn']},{inputs['resourceArn']}",
        {},
    ),
}
