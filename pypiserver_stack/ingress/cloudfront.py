"""CloudFront in front of the balancer, with all that it takes: certificate, web ACL, the secret header."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pypiserver_stack.ingress.access_logs import AccessLogs
from pypiserver_stack.ingress.distribution import Distribution
from pypiserver_stack.ingress.firewall import Firewall
from pypiserver_stack.ingress.names import Certificate, Zone
from pypiserver_stack.ingress.origin_header import OriginHeader
from pypiserver_stack.settings import Settings
from pypiserver_stack.settings.groups.cloudfront import CLOUDFRONT_REGION


class CloudFront(pulumi.ComponentResource):
    """A distribution for the index's names to lead to."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        zone: Zone,
        balancer: aws.lb.LoadBalancer,
        access_logs: AccessLogs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:CloudFront", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        own = Certificate(f"{name}-cloudfront", settings, zone, region=CLOUDFRONT_REGION, opts=child)
        firewall = Firewall(name, settings, load_balancer_arn=None, opts=child) if settings.waf_enabled else None
        self.origin_header = OriginHeader(name, settings, self)
        self.distribution = Distribution(
            name,
            settings,
            origin=balancer.dns_name,
            origin_header=self.origin_header.sent,
            aliases=list(zone.names.values()),
            certificate_arn=own.arn,
            web_acl_arn=firewall.web_acl.arn if firewall else None,
            access_logs=access_logs,
            opts=child,
        ).distribution
        self.register_outputs({"distribution_id": self.distribution.id})
