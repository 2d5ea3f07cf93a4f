"""The types of CloudFront, its policies and the delivery of its logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.aws_schemas.compute import PROVIDERS_OWN
from tests.aws_schemas.mapped import REGION, Mapped, Value


def _chosen(kind: str, plural: str, items: str) -> Any:
    """Which headers, cookies or query strings: a behaviour and, with some of them, a list of these."""

    def written(config: Mapping[str, Any]) -> Value:
        listed = config.get(items, {}).get("items")
        return {
            f"{kind}Behavior": config[f"{kind[0].lower()}{kind[1:]}Behavior"],
            **({plural: listed} if listed else {}),
        }

    return written


_HEADERS = _chosen("Header", "Headers", "headers")
_COOKIES = _chosen("Cookie", "Cookies", "cookies")
_QUERIES = _chosen("QueryString", "QueryStrings", "queryStrings")
_KEY = "parametersInCacheKeyAndForwardedToOrigin"

CLOUDFRONT = {
    "aws:cloudfront/cachePolicy:CachePolicy": Mapped(
        "AWS::CloudFront::CachePolicy",
        below="CachePolicyConfig",
        names={"name": "Name", "minTtl": "MinTTL", "maxTtl": "MaxTTL", "defaultTtl": "DefaultTTL"},
        values={
            f"{_KEY}.headersConfig": _HEADERS,
            f"{_KEY}.cookiesConfig": _COOKIES,
            f"{_KEY}.queryStringsConfig": _QUERIES,
        },
    ),
    "aws:cloudfront/distribution:Distribution": Mapped(
        "AWS::CloudFront::Distribution",
        below="DistributionConfig",
        names={
            "isIpv6Enabled": "IPV6Enabled",
            "orderedCacheBehaviors": "CacheBehaviors",
            "webAclId": "WebACLId",
            "tags": "^Tags",
            "origins.originId": "Id",
            "origins.customHeaders": "OriginCustomHeaders",
            "origins.customHeaders.name": "HeaderName",
            "origins.customHeaders.value": "HeaderValue",
            "origins.customOriginConfig.httpPort": "HTTPPort",
            "origins.customOriginConfig.httpsPort": "HTTPSPort",
            "origins.customOriginConfig.originSslProtocols": "OriginSSLProtocols",
            "customErrorResponses.errorCachingMinTtl": "ErrorCachingMinTTL",
        },
        omitted={"waitForDeployment": PROVIDERS_OWN, "retainOnDelete": PROVIDERS_OWN},
    ),
    "aws:cloudfront/originRequestPolicy:OriginRequestPolicy": Mapped(
        "AWS::CloudFront::OriginRequestPolicy",
        below="OriginRequestPolicyConfig",
        names={"name": "Name"},
        values={"headersConfig": _HEADERS, "cookiesConfig": _COOKIES, "queryStringsConfig": _QUERIES},
    ),
    "aws:cloudwatch/logDelivery:LogDelivery": Mapped("AWS::Logs::Delivery", omitted=REGION),
    "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination": Mapped(
        "AWS::Logs::DeliveryDestination",
        names={"name": "Name", "deliveryDestinationConfiguration": "^"},
        omitted=REGION,
    ),
    "aws:cloudwatch/logDeliverySource:LogDeliverySource": Mapped(
        "AWS::Logs::DeliverySource", names={"name": "Name"}, omitted=REGION
    ),
}
