"""What is true of every deployment, whatever its settings; each function says what is wrong, or nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bench.deployment.engine import StackConfig
from bench.deployment.graph import Graph, Resource
from bench.deployment.local_cloud import ACCOUNT_ID
from bench.deployment.pulumi_wire.property_values import Path, path_text
from tests.pypiserver_stack.support.spellings import found_in, generated_secrets

_ID = re.compile(r"\b(?:vpc|vpce|subnet|sg|sgr|rtb|igw|eigw|nat|eipalloc|fs|fsap|lt|acl)-0[0-9a-f]{16}\b")
_ARN = re.compile(rf"arn:aws:[a-z0-9-]+:[a-z0-9-]*:{ACCOUNT_ID}:[^\s\"',\\]+")

# ECS and Elastic Load Balancing are the strictest: no space at an end, and aws: begins neither key nor value.
_TAG_KEY = re.compile(r"(?!aws:)(?! )[\w .:/=+@-]{1,128}(?<! )", re.IGNORECASE)
_TAG_VALUE = re.compile(r"(?!aws:)(?! )[\w .:/=+@-]{0,256}(?<! )", re.IGNORECASE)

NAME_LIMITS = {
    "aws:appautoscaling/policy:Policy": 256,
    "aws:appautoscaling/scheduledAction:ScheduledAction": 256,
    "aws:autoscaling/group:Group": 255,
    "aws:backup/plan:Plan": 50,
    "aws:backup/selection:Selection": 50,
    "aws:backup/vault:Vault": 50,
    "aws:cloudfront/cachePolicy:CachePolicy": 128,
    "aws:cloudfront/originRequestPolicy:OriginRequestPolicy": 128,
    "aws:cloudwatch/logDeliveryDestination:LogDeliveryDestination": 60,
    "aws:cloudwatch/logDeliverySource:LogDeliverySource": 60,
    "aws:cloudwatch/logGroup:LogGroup": 512,
    "aws:cloudwatch/metricAlarm:MetricAlarm": 255,
    "aws:cloudwatch/queryDefinition:QueryDefinition": 255,
    "aws:ec2/launchTemplate:LaunchTemplate": 128,
    "aws:ec2/securityGroup:SecurityGroup": 255,
    "aws:ecs/capacityProvider:CapacityProvider": 255,
    "aws:ecs/cluster:Cluster": 255,
    "aws:ecs/service:Service": 255,
    "aws:iam/instanceProfile:InstanceProfile": 128,
    "aws:iam/role:Role": 64,
    "aws:iam/rolePolicy:RolePolicy": 128,
    "aws:lb/loadBalancer:LoadBalancer": 32,
    "aws:lb/targetGroup:TargetGroup": 32,
    "aws:route53/record:Record": 255,
    "aws:secretsmanager/secret:Secret": 512,
    "aws:sns/topic:Topic": 256,
    "aws:wafv2/webAcl:WebAcl": 128,
}
"""Characters that AWS allows in the name of each type that has one."""

OTHER_NAMES = {"bucket": 63, "dashboardName": 255, "family": 255, "ruleName": 50}

ENCRYPTED: Mapping[str, Callable[[Resource, Graph], bool]] = {
    "aws:ec2/launchTemplate:LaunchTemplate": lambda resource, graph: all(
        disk["ebs"]["encrypted"] == "true" for disk in resource.inputs["blockDeviceMappings"]
    ),
    "aws:ecs/taskDefinition:TaskDefinition": lambda resource, graph: all(
        volume["efsVolumeConfiguration"]["transitEncryption"] == "ENABLED"
        for volume in resource.inputs["volumes"]
        if "efsVolumeConfiguration" in volume
    ),
    "aws:efs/fileSystem:FileSystem": lambda resource, graph: resource.inputs["encrypted"] is True,
    "aws:s3/bucket:Bucket": lambda resource, graph: any(
        rules.inputs["bucket"] == resource.id
        for rules in graph.of_type(
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
        )
    ),
    "aws:sns/topic:Topic": lambda resource, graph: bool(resource.inputs.get("kmsMasterKeyId")),
}
"""Types that are encrypted only where they are told to be."""

ENCRYPTED_BY_AWS = {
    "aws:backup/vault:Vault": "with AWS's key, where no other is named",
    "aws:cloudwatch/logGroup:LogGroup": "with CloudWatch's key, where no other is named",
    "aws:ec2/vpc:Vpc": "nothing is kept in it; its encryption control watches what instances do of themselves",
    "aws:ecs/cluster:Cluster": "nothing is kept in it: no command is executed in a task, no managed storage is used",
    "aws:secretsmanager/secret:Secret": "with AWS's key, where no other is named",
}


def unresolved_references(graph: Graph, config: StackConfig) -> list[str]:
    """Ids and ARNs in inputs that neither a resource has nor the settings gave."""
    given = json.dumps(dict(config.values))
    known = {text for resource in graph for text in _texts({"id": resource.id, **resource.outputs})}
    wrong = []
    for resource in graph:
        if not resource.id:
            continue
        text = json.dumps(resource.inputs)
        ids = {*_ID.findall(text)} - known
        arns = {arn for arn in _ARN.findall(text) if not any(arn.startswith(one) for one in known if one[:4] == "arn:")}
        wrong += [f"{resource.urn}: {found}" for found in ids | arns if found not in given and not _of_account(found)]
    return wrong


def _of_account(arn: str) -> bool:
    """Whether it is a pattern, or names the account or the repository of the image: no resource of ours."""
    return "*" in arn or arn.endswith(":root") or ":repository/" in arn


def open_to_the_public(graph: Graph) -> list[str]:
    """Whatever anybody could reach or read, but for the balancer."""
    balancers = {
        group for one in graph.of_type("aws:lb/loadBalancer:LoadBalancer") for group in one.inputs["securityGroups"]
    }
    blocked = {
        block.inputs["bucket"]
        for block in graph.of_type("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
        if all(
            block.inputs[key]
            for key in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
        )
    }
    wrong = []
    for resource in graph:
        inputs = resource.inputs
        if "securityGroupIngressRule" in resource.type and inputs["securityGroupId"] not in balancers:
            wrong += [f"{resource.urn}: {key}" for key in ("cidrIpv4", "cidrIpv6", "prefixListId") if key in inputs]
        if inputs.get("mapPublicIpOnLaunch") or inputs.get("ingress"):
            wrong.append(resource.urn)
        if resource.type == "aws:s3/bucket:Bucket" and resource.id not in blocked:
            wrong.append(f"{resource.urn}: no public access block")
        for statement in statements(resource):
            anybody = statement.get("Principal") in ("*", {"AWS": "*"})
            if statement["Effect"] == "Allow" and anybody and "Condition" not in statement:
                wrong.append(f"{resource.urn}: {statement}")
    return wrong


def unencrypted(graph: Graph) -> list[str]:
    """What could be encrypted, and is not."""
    return [
        resource.urn
        for resource in graph
        if resource.type in ENCRYPTED and not ENCRYPTED[resource.type](resource, graph)
    ]


def names_too_long(graph: Graph) -> list[str]:
    """Names that AWS would refuse; in the local cloud they are as long as Pulumi makes them."""
    wrong = []
    for resource in graph:
        if resource.id and resource.type in NAME_LIMITS:
            # Where the provider tells none, it is made of the logical name all the same.
            name = resource.outputs.get("name", f"{resource.name}-0a1b2c3")
            if len(name) > NAME_LIMITS[resource.type]:
                wrong.append(f"{resource.type} {name}")
        for key, limit in OTHER_NAMES.items():
            if len(str(resource.outputs.get(key, ""))) > limit:
                wrong.append(f"{resource.type} {key} {resource.outputs[key]}")
    return wrong


def refused_tags(graph: Graph) -> list[str]:
    """Tags that one of the services would refuse."""
    return [
        f"{resource.urn}: {key}={value}"
        for resource in graph
        for key, value in _tags(resource)
        if not (_TAG_KEY.fullmatch(key) and _TAG_VALUE.fullmatch(value))
    ]


def _tags(resource: Resource) -> Iterator[tuple[str, str]]:
    """Of a resource, and of what it makes: instances, volumes, recovery points."""
    inputs = resource.inputs
    made = [*inputs.get("tagSpecifications", ()), *inputs.get("rules", ())]
    for tags in (inputs.get("tags", {}), *(part.get("tags") or part.get("recoveryPointTags", {}) for part in made)):
        yield from tags.items() if isinstance(tags, Mapping) else ((tag["key"], tag["value"]) for tag in tags)


def secrets_in_clear(graph: Graph) -> list[str]:
    """Inputs that hold a password, or a hash of one, in whatever spelling, and are not marked as secret."""
    secrets = generated_secrets(graph)
    return [
        f"{resource.urn}: {path_text(path)}"
        for resource in graph
        if resource.id
        for path, text in _leaves(resource.inputs)
        if not any(path_text(path).startswith(marked) for marked in resource.secret_paths) and found_in(text, secrets)
    ]


def statements(resource: Resource) -> Iterator[dict[str, Any]]:
    """The statements of all policies that a resource is given."""
    for key in ("policy", "assumeRolePolicy"):
        if isinstance(text := resource.inputs.get(key), str) and text.startswith("{"):
            found = json.loads(text)["Statement"]
            yield from found if isinstance(found, list) else [found]


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, str(value)


def _texts(value: Any) -> Iterator[str]:
    return (text for _, text in _leaves(value))
