"""Kinds that face the clients: balancer, records, certificates, firewall, CloudFront."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bench.deployment.aws.sweep.clients import GLOBAL_REGION, ServiceClients
from bench.deployment.aws.sweep.kind import ResourceKind
from bench.deployment.aws.sweep.lists import Lists
from bench.deployment.aws.sweep.resource import Presence, RunResource, Sighting, key_value_tags
from sizing.cost import prices

_TAGS_AT_ONCE = 20


def _tags_of(aws: ServiceClients, arns: list[str]) -> Mapping[str, Mapping[str, str]]:
    """Tags of balancers or target groups by ARN."""
    found: dict[str, Mapping[str, str]] = {}
    for start in range(0, len(arns), _TAGS_AT_ONCE):
        for one in aws("elbv2").describe_tags(ResourceArns=arns[start : start + _TAGS_AT_ONCE])["TagDescriptions"]:
            found[one["ResourceArn"]] = key_value_tags(one["Tags"])
    return found


def _balancers(lists: Lists) -> Iterator[Sighting]:
    price = prices()["balancer_hour"].usd
    listed = {
        one["LoadBalancerArn"]: one for one in lists.aws.listed("elbv2", "describe_load_balancers", "LoadBalancers")
    }
    for arn, tags in _tags_of(lists.aws, list(listed)).items():
        yield Sighting(arn, tags, made_at=listed[arn]["CreatedTime"], usd_per_hour=price)


def _remove_balancer(aws: ServiceClients, balancer: RunResource) -> None:
    """With its listeners and their rules, and whether it is protected or not."""
    unprotected = [{"Key": "deletion_protection.enabled", "Value": "false"}]
    aws("elbv2").modify_load_balancer_attributes(LoadBalancerArn=balancer.id, Attributes=unprotected)
    aws("elbv2").delete_load_balancer(LoadBalancerArn=balancer.id)


def _target_groups(lists: Lists) -> Iterator[Sighting]:
    arns = [one["TargetGroupArn"] for one in lists.aws.listed("elbv2", "describe_target_groups", "TargetGroups")]
    for arn, tags in _tags_of(lists.aws, arns).items():
        yield Sighting(arn, tags)


def _certificates(lists: Lists) -> Iterator[Sighting]:
    for region in lists.aws.regions:
        for arn, tags in lists.arns("acm", "certificate/", region):
            yield Sighting(arn, tags, region=region if region != lists.aws.region else "")


def _firewalls(lists: Lists) -> Iterator[Sighting]:
    for scope, region in (("REGIONAL", ""), ("CLOUDFRONT", GLOBAL_REGION)):
        firewall = lists.aws("wafv2", region)
        for acl in firewall.list_web_acls(Scope=scope)["WebACLs"]:
            tags = firewall.list_tags_for_resource(ResourceARN=acl["ARN"])["TagInfoForResource"]["TagList"]
            yield Sighting(acl["ARN"], key_value_tags(tags), region=region)


def _firewall(acl: RunResource) -> dict[str, str]:
    """Name, id and scope, which are the parts of its ARN."""
    scope, _, name, id_ = acl.id.rpartition(":")[2].split("/")
    return {"Name": name, "Id": id_, "Scope": "CLOUDFRONT" if scope == "global" else "REGIONAL"}


def _remove_firewall(aws: ServiceClients, acl: RunResource) -> None:
    """It cannot go while a balancer has it; a distribution that has it goes before."""
    firewall = aws("wafv2", acl.region)
    if _firewall(acl)["Scope"] == "REGIONAL":
        for balancer in firewall.list_resources_for_web_acl(WebACLArn=acl.id)["ResourceArns"]:
            firewall.disassociate_web_acl(ResourceArn=balancer)
    lock = firewall.get_web_acl(**_firewall(acl))["LockToken"]
    firewall.delete_web_acl(**_firewall(acl), LockToken=lock)


def _distributions(lists: Lists) -> Iterator[Sighting]:
    cloudfront = lists.aws("cloudfront")
    for found in lists.aws.listed("cloudfront", "list_distributions", "DistributionList.Items"):
        tags = cloudfront.list_tags_for_resource(Resource=found["ARN"])["Tags"]["Items"]
        yield Sighting(found["Id"], key_value_tags(tags))


def _look_at_distribution(aws: ServiceClients, distribution: RunResource) -> Presence:
    found = aws("cloudfront").get_distribution(Id=distribution.id)["Distribution"]
    is_off = not found["DistributionConfig"]["Enabled"]
    return Presence.LEAVING if is_off and found["Status"] != "Deployed" else Presence.PRESENT


def _remove_distribution(aws: ServiceClients, distribution: RunResource) -> None:
    """Off first; once all locations know it, minutes later, it can be deleted."""
    cloudfront = aws("cloudfront")
    found = cloudfront.get_distribution_config(Id=distribution.id)
    if found["DistributionConfig"]["Enabled"]:
        off = {**found["DistributionConfig"], "Enabled": False}
        cloudfront.update_distribution(Id=distribution.id, DistributionConfig=off, IfMatch=found["ETag"])
    else:
        cloudfront.delete_distribution(Id=distribution.id, IfMatch=found["ETag"])


def _policies_of(lists: Lists, kind: str) -> Iterator[Sighting]:
    """Policies that only distributions of runs use. They take no tags."""
    key = f"{kind}Id"
    users: dict[str, set[str]] = {}
    for found in lists.aws.listed("cloudfront", "list_distributions", "DistributionList.Items"):
        config = lists.aws("cloudfront").get_distribution_config(Id=found["Id"])["DistributionConfig"]
        behaviours = [config["DefaultCacheBehavior"], *config.get("CacheBehaviors", {}).get("Items", ())]
        for behaviour in behaviours:
            users.setdefault(behaviour.get(key, ""), set()).add(found["Id"])
    operation = {"CachePolicy": "list_cache_policies", "OriginRequestPolicy": "list_origin_request_policies"}[kind]
    own = {one[kind]["Id"] for one in lists.aws.listed("cloudfront", operation, f"{kind}List.Items", Type="custom")}
    ours = {distribution.id: distribution for distribution in lists.of("CloudFront distribution")}
    for policy in own & users.keys():
        if users[policy] <= ours.keys():
            yield Sighting(policy, ours[min(users[policy])].tags)


def _policy(name: str, kind: str, words: str) -> ResourceKind:
    def remove(aws: ServiceClients, policy: RunResource) -> None:
        etag = getattr(aws("cloudfront"), f"get_{words}")(Id=policy.id)["ETag"]
        getattr(aws("cloudfront"), f"delete_{words}")(Id=policy.id, IfMatch=etag)

    return ResourceKind(
        name,
        lambda lists: _policies_of(lists, kind),
        lambda aws, policy: getattr(aws("cloudfront"), f"get_{words}")(Id=policy.id),
        remove,
        f"aws cloudfront delete-{words.replace('_', '-')} --id {{id}} --if-match ETAG",
    )


LOAD_BALANCER = ResourceKind(
    "load balancer",
    _balancers,
    lambda aws, balancer: aws("elbv2").describe_load_balancers(LoadBalancerArns=[balancer.id])["LoadBalancers"],
    _remove_balancer,
    "aws elbv2 delete-load-balancer --load-balancer-arn {id}",
)
TARGET_GROUP = ResourceKind(
    "target group",
    _target_groups,
    lambda aws, group: aws("elbv2").describe_target_groups(TargetGroupArns=[group.id])["TargetGroups"],
    lambda aws, group: aws("elbv2").delete_target_group(TargetGroupArn=group.id),
    "aws elbv2 delete-target-group --target-group-arn {id}",
)
CERTIFICATE = ResourceKind(
    "certificate",
    _certificates,
    lambda aws, one: aws("acm", one.region).describe_certificate(CertificateArn=one.id)["Certificate"],
    lambda aws, one: aws("acm", one.region).delete_certificate(CertificateArn=one.id),
    "aws acm delete-certificate --certificate-arn {id}",
)
WEB_ACL = ResourceKind(
    "web ACL",
    _firewalls,
    lambda aws, acl: aws("wafv2", acl.region).get_web_acl(**_firewall(acl)),
    _remove_firewall,
    "aws wafv2 delete-web-acl --scope SCOPE --name NAME --id ID --lock-token TOKEN # {id}",
)
DISTRIBUTION = ResourceKind(
    "CloudFront distribution",
    _distributions,
    _look_at_distribution,
    _remove_distribution,
    "aws cloudfront delete-distribution --id {id} --if-match ETAG # once it is disabled",
)
CACHE_POLICY = _policy("cache policy", "CachePolicy", "cache_policy")
ORIGIN_REQUEST_POLICY = _policy("origin request policy", "OriginRequestPolicy", "origin_request_policy")
