"""Records of the names, and listener rules in front of the tasks; each changes once the other is ready for it."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.ingress.cloudfront import HEADER, CloudFront
from pypiserver_stack.ingress.names import Records, Zone

OURS, LAST = 1, 50_000
"""Priorities of the rules; there is none behind the last."""


def route_listener(
    name: str,
    tags: Tags,
    *,
    zone: Zone,
    balancer: aws.lb.LoadBalancer,
    ipv6: bool,
    listener: aws.lb.Listener,
    target_group: aws.lb.TargetGroup,
    cloudfront: CloudFront | None,
    parent: pulumi.Resource,
) -> None:
    """Make the records of the names, and the rules of the listener that they lead to.

    The listener forwards by itself what no rule matches. The last rule matches everything, and is there without
    CloudFront too, where it does the same as the listener: so it is changed in place whenever CloudFront is switched on
    or off. As a resource that comes and goes it would refuse the clients from when their names lead to the balancer
    until the end of the update, where what is no longer wanted is deleted.

    Args:
        ipv6: whether the balancer has IPv6 addresses too.
        parent: of the records whatever stands in front: others of these names would be refused beside them.
    """
    child = pulumi.ResourceOptions(parent=parent)
    forward: aws.lb.ListenerRuleActionArgsDict = {"type": "forward", "target_group_arn": target_group.arn}

    def last_rule(action: aws.lb.ListenerRuleActionArgsDict, after: list[pulumi.Resource]) -> aws.lb.ListenerRule:
        """The rule for all other requests."""
        return aws.lb.ListenerRule(
            f"{name}-others",
            listener_arn=listener.arn,
            priority=LAST,
            conditions=[{"path_pattern": {"values": ["/*"]}}],
            actions=[action],
            tags=tags(f"{name}-others"),
            opts=pulumi.ResourceOptions(parent=parent, depends_on=after),
        )

    if cloudfront is None:
        # Who comes by the names is let in before they lead here.
        last = last_rule(forward, [])
        Records(name, zone, dns_name=balancer.dns_name, zone_id=balancer.zone_id, ipv6=ipv6, after=[last], opts=child)
        return
    distribution = cloudfront.distribution
    records = Records(
        name, zone, dns_name=distribution.domain_name, zone_id=distribution.hosted_zone_id, ipv6=True, opts=child
    )
    ours = aws.lb.ListenerRule(
        name,
        listener_arn=listener.arn,
        priority=OURS,
        conditions=[{"http_header": {"http_header_name": HEADER, "values": cloudfront.origin_header.accepted}}],
        actions=[forward],
        tags=tags(name),
        # The provider tells the conditions as they were given, with the secret values.
        opts=pulumi.ResourceOptions(parent=parent, additional_secret_outputs=["conditions"]),
    )
    # What comes without the distribution's header is refused: its addresses are those of every distribution.
    refuse: aws.lb.ListenerRuleActionArgsDict = {
        "type": "fixed-response",
        "fixed_response": {
            "content_type": "text/plain",
            "status_code": "403",
            "message_body": "The index is reached by its names.\n",
        },
    }
    # A distribution takes minutes to be deployed. Who switches it on is served by the balancer until the names lead to
    # it, and it is let in.
    last_rule(refuse, [records, ours])
