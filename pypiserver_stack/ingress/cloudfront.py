"""CloudFront in front of the balancer: its edges cache package files and pass everything else on."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.ingress.access_logs import AccessLogs
from pypiserver_stack.ingress.firewall import Firewall
from pypiserver_stack.ingress.names import Certificate, Zone
from pypiserver_stack.settings.groups.cloudfront import CLOUDFRONT_REGION, PACKAGE_FILES, CloudFrontSettings
from pypiserver_stack.settings.groups.credentials import CredentialSettings

HEADER = "X-Origin-Verify"
# AWS's own policies, which have these ids in every account.
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"  # Authorization among its headers
EVERY_METHOD = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
READS = ("GET", "HEAD")
# Errors that CloudFront keeps for ten seconds by default. It never keeps a 401.
KEPT_ERRORS = (400, 403, 404, 405, 414, 500, 501, 502, 503, 504)
# A balancer that closes an idle connection first answers 502 to the upload that is just being sent on it.
ORIGIN_KEEPALIVE_S = 5
ORIGIN_READ_TIMEOUT_S = 60


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


class OriginHeader:
    """A value for each generation of the password, so that a rotation replaces it too, in the same steps.

    CloudFront's addresses are in the balancer's security group, and they are those of anybody's distribution.
    """

    def __init__(self, name: str, settings: CredentialSettings, parent: pulumi.Resource) -> None:
        values = {
            # The balancer compares without regard to case: 36^32 possibilities, 165 bits.
            number: random.RandomPassword(
                f"{name}-origin-{number}", length=32, special=False, opts=pulumi.ResourceOptions(parent=parent)
            ).result
            for number in settings.password_generations
        }
        self.accepted = list(values.values())
        """Values that the balancer accepts."""
        self.sent = values[settings.published_generation]
        """Value that the distribution adds to each request. In a rotation the balancer accepts it before, and after."""


class Distribution(pulumi.ComponentResource):
    """A distribution, what it keeps and what it passes on, and its access logs."""

    def __init__(
        self,
        name: str,
        settings: CloudFrontSettings,
        tags: Tags,
        *,
        origin: pulumi.Input[str],
        origin_header: pulumi.Input[str],
        aliases: Sequence[pulumi.Input[str]],
        certificate_arn: pulumi.Input[str],
        web_acl_arn: pulumi.Input[str] | None,
        access_logs: AccessLogs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        Args:
            origin: DNS name of the balancer. Its certificate stands for the aliases: they are the Host that is passed
                on to it, and CloudFront takes a certificate for either.
            origin_header: what the balancer knows the distribution by.
            aliases: the index's names.
            certificate_arn: for the aliases, in CloudFront's region.
        """
        super().__init__("pypiserver:index:Distribution", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = tags
        self.distribution = aws.cloudfront.Distribution(
            name,
            enabled=True,
            comment=f"Package index {name}",
            aliases=aliases,
            http_version="http2and3",
            is_ipv6_enabled=True,
            price_class=settings.cloudfront_price_class,
            web_acl_id=web_acl_arn,
            origins=[_origin(origin, origin_header)],
            default_cache_behavior={
                "target_origin_id": _ORIGIN,
                "viewer_protocol_policy": "redirect-to-https",
                "allowed_methods": EVERY_METHOD,  # the least that has POST
                "cached_methods": READS,
                "cache_policy_id": CACHING_DISABLED,
                "origin_request_policy_id": ALL_VIEWER,
                "compress": False,
            },
            ordered_cache_behaviors=[
                {
                    "path_pattern": PACKAGE_FILES,
                    "target_origin_id": _ORIGIN,
                    "viewer_protocol_policy": "redirect-to-https",
                    "allowed_methods": READS,
                    "cached_methods": READS,
                    "cache_policy_id": self._cache_policy(name, settings).id,
                    "origin_request_policy_id": self._host_alone(name).id,
                    "compress": False,  # wheels are, already
                }
            ],
            custom_error_responses=[{"error_code": status, "error_caching_min_ttl": 0} for status in KEPT_ERRORS],
            restrictions={"geo_restriction": {"restriction_type": "none"}},
            viewer_certificate={
                "acm_certificate_arn": certificate_arn,
                "ssl_support_method": "sni-only",
                "minimum_protocol_version": "TLSv1.2_2021",
            },
            tags=self._tags(name),
            # AWS tells the origin as it was given, with the header that is a secret.
            opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["origins"]),
        )
        self._log_to(name, access_logs)
        self.register_outputs({"distribution_id": self.distribution.id})

    def _cache_policy(self, name: str, settings: CloudFrontSettings) -> aws.cloudfront.CachePolicy:
        """Caching of what the server calls cacheable, for each Authorization apart, and of nothing else."""
        policy = aws.cloudfront
        return policy.CachePolicy(
            name,
            comment="Package files, for each credential apart",
            # Above zero the least would overrule what the server says, of files that are still being written as well.
            min_ttl=0,
            default_ttl=0,
            max_ttl=settings.cloudfront_max_ttl_s,
            parameters_in_cache_key_and_forwarded_to_origin={
                "headers_config": {"header_behavior": "whitelist", "headers": {"items": ["Authorization"]}},
                "cookies_config": {"cookie_behavior": "none"},
                "query_strings_config": {"query_string_behavior": "none"},
                "enable_accept_encoding_brotli": False,
                "enable_accept_encoding_gzip": False,
            },
            opts=self._child,
        )

    def _host_alone(self, name: str) -> aws.cloudfront.OriginRequestPolicy:
        """Outside the cache key only Host, on which no answer for a file depends: nobody can poison the cache."""
        policy = aws.cloudfront
        return policy.OriginRequestPolicy(
            name,
            comment="Host, which the balancer's certificate stands for",
            headers_config={"header_behavior": "whitelist", "headers": {"items": ["Host"]}},
            cookies_config={"cookie_behavior": "none"},
            query_strings_config={"query_string_behavior": "none"},
            opts=self._child,
        )

    def _log_to(self, name: str, access_logs: AccessLogs) -> None:
        source = aws.cloudwatch.LogDeliverySource(
            name,
            region=CLOUDFRONT_REGION,
            log_type="ACCESS_LOGS",
            resource_arn=self.distribution.arn,
            tags=self._tags(name),
            opts=self._child,
        )
        destination = aws.cloudwatch.LogDeliveryDestination(
            name,
            region=CLOUDFRONT_REGION,
            output_format="json",
            delivery_destination_configuration={"destination_resource_arn": access_logs.bucket.arn},
            tags=self._tags(name),
            opts=self._child,
        )
        aws.cloudwatch.LogDelivery(
            name,
            region=CLOUDFRONT_REGION,
            delivery_source_name=source.name,
            delivery_destination_arn=destination.arn,
            tags=self._tags(name),
            # It is refused, or writes a policy of its own, where the bucket does not allow it yet.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[access_logs.policy]),
        )


_ORIGIN = "balancer"


def _origin(dns_name: pulumi.Input[str], header: pulumi.Input[str]) -> aws.cloudfront.DistributionOriginArgsDict:
    return {
        "origin_id": _ORIGIN,
        "domain_name": dns_name,
        "custom_origin_config": {
            "http_port": 80,  # required, and not used
            "https_port": 443,
            "origin_protocol_policy": "https-only",
            "origin_ssl_protocols": ["TLSv1.2"],  # the newest that it takes
            "origin_keepalive_timeout": ORIGIN_KEEPALIVE_S,
            "origin_read_timeout": ORIGIN_READ_TIMEOUT_S,
        },
        # It takes the place of what a client sends by that name.
        "custom_headers": [{"name": HEADER, "value": header}],
    }
