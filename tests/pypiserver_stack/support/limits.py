"""How large AWS lets a document be that settings make longer, and which documents of a graph are larger."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator

from bench.deployment.graph import Graph

_LIMITS: dict[str, tuple[str, int]] = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("alarmDescription", 1024),
    "aws:cloudwatch/queryDefinition:QueryDefinition": ("queryString", 10_000),
    "aws:efs/fileSystemPolicy:FileSystemPolicy": ("policy", 20_000),
    "aws:iam/role:Role": ("assumeRolePolicy", 2048),
    "aws:kms/key:Key": ("policy", 32_768),
    "aws:s3/bucketPolicy:BucketPolicy": ("policy", 20_480),
    "aws:secretsmanager/secretPolicy:SecretPolicy": ("policy", 20_480),
    "aws:secretsmanager/secretVersion:SecretVersion": ("secretString", 65_536),
    "aws:sns/topicPolicy:TopicPolicy": ("policy", 30_720),
}
"""Input and characters; white space of policies is counted, which IAM does not do."""

_INLINE_POLICIES_OF_A_ROLE = 10_240
_IMAGE = 255
_TASK_DEFINITION_BYTES = 64 * 1024
_USER_DATA_BYTES = 16_384


def too_large(graph: Graph) -> list[str]:
    """Documents that AWS would refuse for their size."""
    found = [*_inputs(graph), *_inline_policies(graph), *_tasks(graph), *_templates(graph)]
    return [f"{what}: {size} of {limit}" for what, size, limit in found if size > limit]


Sizes = Iterator[tuple[str, int, int]]


def _inputs(graph: Graph) -> Sizes:
    for type_, (key, limit) in _LIMITS.items():
        for resource in graph.of_type(type_):
            yield f"{resource.urn} {key}", len(resource.inputs[key]), limit


def _inline_policies(graph: Graph) -> Sizes:
    sizes = Counter[str]()
    for policy in graph.of_type("aws:iam/rolePolicy:RolePolicy"):
        sizes[policy.inputs["role"]] += len("".join(policy.inputs["policy"].split()))
    for role, size in sizes.items():
        yield f"inline policies of {role}", size, _INLINE_POLICIES_OF_A_ROLE


def _tasks(graph: Graph) -> Sizes:
    for task in graph.of_type("aws:ecs/taskDefinition:TaskDefinition"):
        yield task.urn, len(json.dumps(dict(task.inputs))), _TASK_DEFINITION_BYTES
        for container in json.loads(task.inputs["containerDefinitions"]):
            yield f"{task.urn} image", len(container["image"].partition("@")[0]), _IMAGE


def _templates(graph: Graph) -> Sizes:
    for template in graph.of_type("aws:ec2/launchTemplate:LaunchTemplate"):
        yield template.urn, len(base64.b64decode(template.inputs["userData"])), _USER_DATA_BYTES
