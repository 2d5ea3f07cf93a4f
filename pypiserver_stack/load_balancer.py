"""The Application Load Balancer, its target group and its listener."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from pypiserver_stack.settings import Settings
from pypiserver_stack.tags import Tags

IDLE_TIMEOUT_S = 60


class LoadBalancer(pulumi.ComponentResource):
    """Internal and plain HTTP: a certificate and names make it public, and there are none here."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        vpc_id: pulumi.Input[str],
        subnet_ids: Sequence[pulumi.Input[str]],
        security_group_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:LoadBalancer", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = Tags(settings)
        self.balancer = aws.lb.LoadBalancer(
            name,
            load_balancer_type="application",
            internal=True,
            subnets=list(subnet_ids),
            security_groups=[security_group_id],
            idle_timeout=IDLE_TIMEOUT_S,
            drop_invalid_header_fields=True,
            tags=tags(name),
            opts=child,
        )
        self.target_group = aws.lb.TargetGroup(
            name,
            vpc_id=vpc_id,
            target_type="instance",
            protocol="HTTP",
            port=80,  # required, and overridden by the port that each task registers with
            load_balancing_algorithm_type=settings.load_balancing_algorithm,
            stickiness=aws.lb.TargetGroupStickinessArgs(
                enabled=settings.stickiness_enabled, type="lb_cookie", cookie_duration=86400
            ),
            health_check=aws.lb.TargetGroupHealthCheckArgs(
                path=settings.health_check_path,
                matcher="200",
                interval=10,
                timeout=5,
                healthy_threshold=2,
                unhealthy_threshold=3,
            ),
            deregistration_delay=30,  # the longest an answer may take after a task is told to go
            tags=tags(name),
            opts=child,
        )
        self.listener = aws.lb.Listener(
            name,
            load_balancer_arn=self.balancer.arn,
            port=80,
            protocol="HTTP",
            default_actions=[aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=self.target_group.arn)],
            tags=tags(name),
            opts=child,
        )
        self.url = pulumi.Output.concat("http://", self.balancer.dns_name)
        self.register_outputs({"url": self.url})
