"""AWS WAF web ACL with a rate limit for each address."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.settings.groups.balancer import RATE_WINDOW_MIN
from pypiserver_stack.settings.groups.cloudfront import CLOUDFRONT_REGION

RETRY_AFTER_S = 60


class Firewall(pulumi.ComponentResource):
    """A web ACL with a limit on the requests of an address.

    It belongs where the clients' own addresses are seen. No rule looks at bodies: a balancer shows AWS WAF their first
    8 KB, and a distribution 16 KB, of wheels that have megabytes.
    """

    def __init__(
        self,
        name: str,
        tags: Tags,
        *,
        rate_limit_per_5_min: int,
        load_balancer_arn: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        Args:
            rate_limit_per_5_min: requests of one address above which it is answered 429.
            load_balancer_arn: the balancer that it protects; None for a distribution, which names its web ACL itself.
        """
        super().__init__("pypiserver:index:Firewall", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        regional = load_balancer_arn is not None
        self.web_acl = aws.wafv2.WebAcl(
            name,
            scope="REGIONAL" if regional else "CLOUDFRONT",
            region=None if regional else CLOUDFRONT_REGION,
            description="Limits the requests of a single address",
            default_action={"allow": {}},
            rules=[_rate_rule(name, rate_limit_per_5_min)],
            visibility_config={
                "cloudwatch_metrics_enabled": True,
                "metric_name": name,
                "sampled_requests_enabled": True,
            },
            tags=tags(name),
            opts=child,
        )
        if load_balancer_arn is not None:
            aws.wafv2.WebAclAssociation(name, resource_arn=load_balancer_arn, web_acl_arn=self.web_acl.arn, opts=child)
        self.register_outputs({"web_acl_arn": self.web_acl.arn})


def _rate_rule(name: str, limit: int) -> aws.wafv2.WebAclRuleArgsDict:
    return {
        "name": "rate-per-address",
        "priority": 0,
        "statement": {
            "rate_based_statement": {
                "aggregate_key_type": "IP",
                "limit": limit,
                "evaluation_window_sec": RATE_WINDOW_MIN * 60,
            }
        },
        "action": {
            "block": {
                # pip waits and asks again after a 429; AWS WAF's own 403 would end the job.
                "custom_response": {
                    "response_code": 429,
                    "response_headers": [{"name": "Retry-After", "value": str(RETRY_AFTER_S)}],
                }
            }
        },
        "visibility_config": {
            "cloudwatch_metrics_enabled": True,
            "metric_name": f"{name}-rate-per-address",
            "sampled_requests_enabled": True,
        },
    }
