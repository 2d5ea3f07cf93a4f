"""CloudFront of a stack in the stand-in, and the delivery of its logs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.deployment.local_cloud import Record
from tests.aws_stand_in.mirror import Aws, Mirror, tag_list


def _behaviour(behaviour: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "TargetOriginId": behaviour["targetOriginId"],
        "ViewerProtocolPolicy": behaviour["viewerProtocolPolicy"],
        "CachePolicyId": behaviour["cachePolicyId"],
        "OriginRequestPolicyId": behaviour.get("originRequestPolicyId", ""),
        "MinTTL": 0,
    }


def _distribution(aws: Aws, record: Record) -> Mapping[str, Any]:
    """The distribution as far as a sweep reads it: its aliases, its origin and whether it is enabled."""
    origin = {
        "Id": "balancer",
        "DomainName": record.inputs["origins"][0]["domainName"],
        "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
    }
    aliases = record.inputs.get("aliases", [])
    own = [{**_behaviour(one), "PathPattern": one["pathPattern"]} for one in record.inputs["orderedCacheBehaviors"]]
    config = {
        "Enabled": True,
        "CallerReference": record.urn,
        "Comment": record.inputs["comment"],
        "DefaultCacheBehavior": _behaviour(record.inputs["defaultCacheBehavior"]),
        "CacheBehaviors": {"Quantity": len(own), "Items": own},
        "Origins": {"Quantity": 1, "Items": [origin]},
        "Aliases": {"Quantity": len(aliases), "Items": aliases},
    }
    made = aws("cloudfront").create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": config, "Tags": {"Items": tag_list(record)}}
    )["Distribution"]
    return {"id": made["Id"], "arn": made["ARN"], "domainName": made["DomainName"]}


def _remove_distribution(aws: Aws, record: Record) -> None:
    cloudfront = aws("cloudfront")
    found = cloudfront.get_distribution_config(Id=record.id)
    off = {**found["DistributionConfig"], "Enabled": False}
    etag = cloudfront.update_distribution(Id=record.id, DistributionConfig=off, IfMatch=found["ETag"])["ETag"]
    cloudfront.delete_distribution(Id=record.id, IfMatch=etag)


def _log_source(aws: Aws, record: Record) -> Mapping[str, Any]:
    source = aws("logs", record).put_delivery_source(
        name=record.outputs["name"],
        resourceArn=record.inputs["resourceArn"],
        logType=record.inputs["logType"],
        tags=record.inputs.get("tags", {}),
    )["deliverySource"]
    return {"arn": source["arn"]}


def _log_destination(aws: Aws, record: Record) -> Mapping[str, Any]:
    destination = aws("logs", record).put_delivery_destination(
        name=record.outputs["name"],
        outputFormat=record.inputs["outputFormat"],
        deliveryDestinationConfiguration=record.inputs["deliveryDestinationConfiguration"],
        tags=record.inputs.get("tags", {}),
    )["deliveryDestination"]
    return {"arn": destination["arn"]}


def _log_delivery(aws: Aws, record: Record) -> Mapping[str, Any]:
    names = ("deliverySourceName", "deliveryDestinationArn", "tags")
    made = aws("logs", record).create_delivery(**{name: record.inputs[name] for name in names if name in record.inputs})
    return {"id": made["delivery"]["id"], "arn": made["delivery"]["arn"]}


def _of_cloudfront(kind: str) -> Mirror:
    """A cache policy or an origin request policy, as far as a sweep reads it: its name."""
    words = {"CachePolicy": "cache_policy", "OriginRequestPolicy": "origin_request_policy"}[kind]
    configs: dict[str, dict[str, Any]] = {
        "CachePolicy": {"MinTTL": 0},
        "OriginRequestPolicy": {
            "HeadersConfig": {"HeaderBehavior": "none"},
            "CookiesConfig": {"CookieBehavior": "none"},
            "QueryStringsConfig": {"QueryStringBehavior": "none"},
        },
    }
    config = configs[kind]

    def make(aws: Aws, record: Record) -> Mapping[str, Any]:
        create = getattr(aws("cloudfront"), f"create_{words}")
        return {"id": create(**{f"{kind}Config": {"Name": record.outputs["name"], **config}})[kind]["Id"]}

    return Mirror(
        make,
        lambda aws, record: getattr(aws("cloudfront"), f"delete_{words}")(Id=record.id, IfMatch="stand-in"),
        lambda aws, record: getattr(aws("cloudfront"), f"get_{words}")(Id=record.id)[kind],
    )


MIRRORS: Mapping[str, Mirror] = {
    "aws:cloudfront/distribution:Distribution": Mirror(
        _distribution,
        _remove_distribution,
        lambda aws, record: aws("cloudfront").get_distribution(Id=record.id)["Distribution"],
    ),
    "aws:cloudwatch/logDelivery:LogDelivery": Mirror(
        _log_delivery,
        lambda aws, record: aws("logs", record).delete_delivery(id=record.id),
        lambda aws, record: aws("logs", record).get_delivery(id=record.id)["delivery"],
    ),
    "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination": Mirror(
        _log_destination,
        lambda aws, record: aws("logs", record).delete_delivery_destination(name=record.id),
        lambda aws, record: aws("logs", record).get_delivery_destination(name=record.id)["deliveryDestination"],
    ),
    "aws:cloudwatch/logDeliverySource:LogDeliverySource": Mirror(
        _log_source,
        lambda aws, record: aws("logs", record).delete_delivery_source(name=record.id),
        lambda aws, record: aws("logs", record).get_delivery_source(name=record.id)["deliverySource"],
    ),
    "aws:cloudfront/cachePolicy:CachePolicy": _of_cloudfront("CachePolicy"),
    "aws:cloudfront/originRequestPolicy:OriginRequestPolicy": _of_cloudfront("OriginRequestPolicy"),
}
