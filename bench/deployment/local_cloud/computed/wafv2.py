"""What AWS computes for the firewall."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.local_cloud.computed.identity import Compute, Computed, Identity, Inputs
from bench.deployment.local_cloud.computed.ids import uuid_of


def _web_acl(identity: Identity, inputs: Inputs) -> tuple[str, Computed]:
    name = inputs.get("name", identity.physical_name)
    id_ = uuid_of(identity)
    scope = "global" if inputs["scope"] == "CLOUDFRONT" else "regional"
    return id_, {"name": name, "arn": identity.arn("wafv2", f"{scope}/webacl/{name}/{id_}"), "capacity": 2}


RESOURCES: Mapping[str, Compute] = {
    "aws:wafv2/webAcl:WebAcl": _web_acl,
    "aws:wafv2/webAclAssociation:WebAclAssociation": lambda identity, inputs: (
        f"{inputs['webAclArn']},{inputs['resourceArn']}",
        {},
    ),
}
