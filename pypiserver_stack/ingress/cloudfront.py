"""CloudFront in front of the balancer, with its certificate, web ACL and secret header."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.ingress.access_logs import AccessLogs
from pypiserver_stack.ingress.distribution import Distribution
from pypiserver_stack.ingress.firewall import Firewall
from pypiserver_stack.ingress.names import Certificate, Zone
from pypiserver_stack.ingress.origin_header import OriginHeader
from pypiserver_stack.settings.groups.cloudfront import CLOUDFRONT_REGION, CloudFrontSettings
from pypiserver_stack.settings.groups.credentials import CredentialSettings


class CloudFront(pulumi.ComponentResource):
    """A distribution for the index's names to lead to."""

    def __init__(
        self,
        name: str,
        settings: CloudFrontSettings,
        tags: Tags,
        *,
        credentials: CredentialSettings,
        zone: Zone,
        balancer: aws.lb.LoadBalancer,
        access_logs: AccessLogs,
        rate_limit_per_5_min: int | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:CloudFront", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        own = Certificate(f"{name}-cloudfront", tags, zone, region=CLOUDFRONT_REGION, opts=child)
        firewall = None
        if rate_limit_per_5_min is not None:
            firewall = Firewall(
                name, tags, rate_limit_per_5_min=rate_limit_per_5_min, load_balancer_arn=None, opts=child
            )
        self.origin_header = OriginHeader(name, credentials, self)
        self.distribution = Distribution(
            name,
            settings,
            tags,
            origin=balancer.dns_name,
            origin_header=self.origin_header.sent,
            aliases=list(zone.names.values()),
            certificate_arn=own.arn,
            web_acl_arn=firewall.web_acl.arn if firewall else None,
            access_logs=access_logs,
            opts=child,
        ).distribution
        self.register_outputs({"distribution_id": self.distribution.id})
