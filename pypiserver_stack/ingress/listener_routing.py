"""Records of the names, and listener rules in front of the tasks; each changes once the other is ready for it."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.ingress.cloudfront import CloudFront
from pypiserver_stack.ingress.names import Records, Zone
from pypiserver_stack.ingress.origin_header import HEADER

OURS, LAST = 1, 50_000
"""Priorities of the rules; there is none behind the last."""


class ListenerRouting:
    """The records of the names, and the rules of the listener that they lead to.

    The listener forwards by itself what no rule matches. The last rule matches everything, and is there without
    CloudFront too, where it does the same as the listener: so it is changed in place whenever CloudFront is switched on
    or off. As a resource that comes and goes it would refuse the clients from when their names lead to the balancer
    until the end of the update, where what is no longer wanted is deleted.
    """

    def __init__(
        self,
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
        """
        Args:
            ipv6: whether the balancer has IPv6 addresses too.
            parent: of the records whatever stands in front: others of these names would be refused beside them.
        """
        self._name = name
        self._listener = listener
        self._parent = parent
        self._tags = tags
        child = pulumi.ResourceOptions(parent=parent)
        forward = aws.lb.ListenerRuleActionArgs(type="forward", target_group_arn=target_group.arn)
        if cloudfront is None:
            # Who comes by the names is let in before they lead here.
            last = self._last(forward, [])
            Records(
                name,
                zone,
                dns_name=balancer.dns_name,
                zone_id=balancer.zone_id,
                ipv6=ipv6,
                after=[last],
                opts=child,
            )
            return
        distribution = cloudfront.distribution
        records = Records(
            name,
            zone,
            dns_name=distribution.domain_name,
            zone_id=distribution.hosted_zone_id,
            ipv6=True,
            opts=child,
        )
        ours = self._ours(forward, cloudfront)
        # What comes without the distribution's header is refused: its addresses are those of every distribution.
        refuse = aws.lb.ListenerRuleActionArgs(
            type="fixed-response",
            fixed_response=aws.lb.ListenerRuleActionFixedResponseArgs(
                content_type="text/plain", status_code="403", message_body="The index is reached by its names.\n"
            ),
        )
        # A distribution takes minutes to be deployed. Who switches it on is served by the balancer until the names
        # lead to it, and it is let in.
        self._last(refuse, [records, ours])

    def _ours(self, forward: aws.lb.ListenerRuleActionArgs, cloudfront: CloudFront) -> aws.lb.ListenerRule:
        """The rule for requests from the stack's own distribution."""
        return aws.lb.ListenerRule(
            self._name,
            listener_arn=self._listener.arn,
            priority=OURS,
            conditions=[
                aws.lb.ListenerRuleConditionArgs(
                    http_header=aws.lb.ListenerRuleConditionHttpHeaderArgs(
                        http_header_name=HEADER, values=cloudfront.origin_header.accepted
                    )
                )
            ],
            actions=[forward],
            tags=self._tags(self._name),
            # The provider tells the conditions as they were given, with the secret values.
            opts=pulumi.ResourceOptions(parent=self._parent, additional_secret_outputs=["conditions"]),
        )

    def _last(self, action: aws.lb.ListenerRuleActionArgs, after: list[pulumi.Resource]) -> aws.lb.ListenerRule:
        """The rule for all other requests."""
        name = f"{self._name}-others"
        return aws.lb.ListenerRule(
            name,
            listener_arn=self._listener.arn,
            priority=LAST,
            conditions=[
                aws.lb.ListenerRuleConditionArgs(
                    path_pattern=aws.lb.ListenerRuleConditionPathPatternArgs(values=["/*"])
                )
            ],
            actions=[action],
            tags=self._tags(name),
            opts=pulumi.ResourceOptions(parent=self._parent, depends_on=after),
        )
