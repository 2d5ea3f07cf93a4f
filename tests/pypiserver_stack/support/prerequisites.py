"""What must exist before AWS accepts a resource, or before the resource works, though no argument names it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from bench.deployment.graph import Graph, Resource

_AWS = "https://docs.aws.amazon.com"
_DEPENDS_ON = f"{_AWS}/AWSCloudFormation/latest/UserGuide/aws-attribute-dependson.html"

Needs = Callable[[Resource, Graph], Iterable[Resource]]


class Prerequisite(NamedTuple):
    """A row of the table."""

    type: str
    needs: Needs
    """Which resources of the graph a resource of this type needs; none where the condition does not hold."""
    source: str
    """Where AWS says so."""


def depended_on(graph: Graph, urn: str) -> set[str]:
    """All that exists before a resource is created and until it has been deleted: dependencies and parents."""
    found, waiting = set[str](), [urn]
    while waiting:
        resource = graph.resources[waiting.pop()]
        # The stack itself is a parent and not in the graph.
        new = {urn for urn in (*resource.dependencies, resource.parent) if urn in graph.resources} - found
        found |= new
        waiting += new
    return found


def missing(graph: Graph) -> list[str]:
    """Prerequisites that a resource does not wait for."""
    wrong = []
    for row in PREREQUISITES:
        for resource in graph.of_type(row.type):
            waited_for = depended_on(graph, resource.urn)
            wrong += [
                f"{resource.urn} does not wait for {needed.urn}: {row.source}"
                for needed in row.needs(resource, graph)
                if needed.urn not in waited_for
            ]
    return wrong


def _every(*types: str) -> Needs:
    return lambda resource, graph: [needed for type_ in types for needed in graph.of_type(type_)]


def _internet_access(graph: Graph) -> Iterator[Resource]:
    """The internet gateway, the routes to it, and what makes them those of the public subnets."""
    yield from graph.of_type("aws:ec2/internetGateway:InternetGateway")
    routes = [route for route in graph.of_type("aws:ec2/route:Route") if "gatewayId" in route.inputs]
    yield from routes
    tables = {route.inputs["routeTableId"] for route in routes}
    for association in graph.of_type("aws:ec2/routeTableAssociation:RouteTableAssociation"):
        if association.inputs["routeTableId"] in tables:
            yield association


def _of_internet_facing_balancer(balancer: Resource, graph: Graph) -> Iterator[Resource]:
    return iter(()) if balancer.inputs["internal"] else _internet_access(graph)


def _policies_of(*arns: object, graph: Graph) -> list[Resource]:
    roles = {role.id for role in graph.of_type("aws:iam/role:Role") if role.outputs["arn"] in arns}
    return [policy for policy in graph.of_type("aws:iam/rolePolicy:RolePolicy") if policy.inputs["role"] in roles]


def _policies_of_role_in(*inputs: str) -> Needs:
    return lambda resource, graph: _policies_of(*map(resource.inputs.get, inputs), graph=graph)


def _policies_of_instances(_: Resource, graph: Graph) -> list[Resource]:
    names = {profile.inputs["role"] for profile in graph.of_type("aws:iam/instanceProfile:InstanceProfile")}
    return [policy for policy in graph.of_type("aws:iam/rolePolicy:RolePolicy") if policy.inputs["role"] in names]


def _of_same_bucket(*types: str) -> Needs:
    return lambda resource, graph: [
        needed for needed in _every(*types)(resource, graph) if needed.inputs["bucket"] == resource.inputs["bucket"]
    ]


def _injected_secrets(task: Resource, graph: Graph) -> list[Resource]:
    injected = any("secrets" in container for container in json.loads(task.inputs["containerDefinitions"]))
    return list(graph.of_type("aws:secretsmanager/secretVersion:SecretVersion")) if injected else []


def _listeners_that_forward(service: Resource, graph: Graph) -> list[Resource]:
    (group,) = (balancer["targetGroupArn"] for balancer in service.inputs["loadBalancers"])
    return [
        listener
        for listener in graph.of_type("aws:lb/listener:Listener")
        if any(action.get("targetGroupArn") == group for action in listener.inputs["defaultActions"])
    ]


def _listeners_of_request_count(policy: Resource, graph: Graph) -> list[Resource]:
    tracking = policy.inputs["targetTrackingScalingPolicyConfiguration"]
    by_requests = tracking["predefinedMetricSpecification"]["predefinedMetricType"] == "ALBRequestCountPerTarget"
    return list(graph.of_type("aws:lb/listener:Listener")) if by_requests else []


def _validation_of(arn: object, graph: Graph) -> list[Resource]:
    validations = graph.of_type("aws:acm/certificateValidation:CertificateValidation")
    return [validation for validation in validations if validation.inputs["certificateArn"] == arn]


def _records(kind: str, graph: Graph) -> list[Resource]:
    return [record for record in graph.of_type("aws:route53/record:Record") if record.inputs["type"] == kind]


def _topic_policies(alarm: Resource, graph: Graph) -> list[Resource]:
    policies = graph.of_type("aws:sns/topicPolicy:TopicPolicy")
    return [policy for policy in policies if policy.inputs["arn"] in alarm.inputs.get("alarmActions", ())]


PREREQUISITES = (
    Prerequisite("aws:lb/loadBalancer:LoadBalancer", _of_internet_facing_balancer, _DEPENDS_ON),
    Prerequisite(
        "aws:lb/loadBalancer:LoadBalancer",
        _every("aws:s3/bucketPolicy:BucketPolicy"),
        f"{_AWS}/elasticloadbalancing/latest/application/enable-access-logging.html",
    ),
    Prerequisite("aws:ec2/eip:Eip", lambda _, graph: _internet_access(graph), _DEPENDS_ON),
    Prerequisite(
        "aws:ec2/natGateway:NatGateway",
        lambda _, graph: _internet_access(graph),
        f"{_AWS}/vpc/latest/userguide/nat-gateway-troubleshooting.html",
    ),
    Prerequisite(
        # S3 answers the second of two simultaneous changes of a bucket's access with OperationAborted.
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        _of_same_bucket("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"),
        f"{_AWS}/AmazonS3/latest/API/ErrorResponses.html",
    ),
    Prerequisite(
        "aws:s3/bucketPolicy:BucketPolicy",
        _of_same_bucket(
            "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
            "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        ),
        f"{_AWS}/AmazonS3/latest/API/ErrorResponses.html",
    ),
    Prerequisite(
        "aws:autoscaling/group:Group",
        _policies_of_instances,
        f"{_AWS}/AmazonECS/latest/developerguide/instance_IAM_role.html",
    ),
    Prerequisite(
        "aws:autoscaling/group:Group",
        _every(
            "aws:ec2/natGateway:NatGateway",
            "aws:ec2/route:Route",
            "aws:ec2/routeTableAssociation:RouteTableAssociation",
            "aws:ec2/vpcEndpoint:VpcEndpoint",
            "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        ),
        f"{_AWS}/AmazonECS/latest/developerguide/launch_container_instance.html",
    ),
    Prerequisite(
        "aws:ecs/taskDefinition:TaskDefinition",
        _policies_of_role_in("executionRoleArn", "taskRoleArn"),
        f"{_AWS}/AmazonECS/latest/developerguide/task_execution_IAM_role.html",
    ),
    Prerequisite(
        "aws:ecs/service:Service",
        _listeners_that_forward,
        f"{_AWS}/AmazonECS/latest/developerguide/service-load-balancing.html",
    ),
    Prerequisite(
        "aws:ecs/service:Service",
        _every("aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"),
        f"{_AWS}/AmazonECS/latest/developerguide/asg-capacity-providers.html",
    ),
    Prerequisite(
        "aws:ecs/service:Service",
        _every("aws:efs/mountTarget:MountTarget", "aws:efs/fileSystemPolicy:FileSystemPolicy"),
        f"{_AWS}/AmazonECS/latest/developerguide/efs-volumes.html",
    ),
    Prerequisite(
        "aws:ecs/service:Service",
        lambda service, graph: [
            *_policies_of_instances(service, graph),
            *(
                policy
                for task in graph.of_type("aws:ecs/taskDefinition:TaskDefinition")
                for policy in _policies_of(task.inputs["executionRoleArn"], task.inputs["taskRoleArn"], graph=graph)
            ),
        ],
        f"{_AWS}/AWSCloudFormation/latest/TemplateReference/aws-resource-ecs-service.html",
    ),
    Prerequisite(
        "aws:ecs/taskDefinition:TaskDefinition",
        _injected_secrets,
        f"{_AWS}/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html",
    ),
    Prerequisite(
        "aws:appautoscaling/target:Target",
        _every("aws:ecs/service:Service"),
        f"{_AWS}/autoscaling/application/APIReference/API_RegisterScalableTarget.html",
    ),
    Prerequisite(
        "aws:appautoscaling/policy:Policy",
        _listeners_of_request_count,
        f"{_AWS}/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html",
    ),
    Prerequisite(
        "aws:backup/selection:Selection",
        _policies_of_role_in("iamRoleArn"),
        f"{_AWS}/aws-backup/latest/devguide/iam-service-roles.html",
    ),
    Prerequisite(
        "aws:ec2/flowLog:FlowLog",
        _policies_of_role_in("iamRoleArn"),
        f"{_AWS}/vpc/latest/userguide/flow-logs-troubleshooting.html",
    ),
    Prerequisite(
        "aws:cloudwatch/logDelivery:LogDelivery",
        _every("aws:s3/bucketPolicy:BucketPolicy"),
        f"{_AWS}/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-V2-S3.html",
    ),
    Prerequisite(
        "aws:acm/certificate:Certificate",
        lambda _, graph: _records("CAA", graph),
        f"{_AWS}/acm/latest/userguide/setup-caa.html",
    ),
    Prerequisite(
        "aws:acm/certificateValidation:CertificateValidation",
        lambda _, graph: _records("CNAME", graph),
        f"{_AWS}/acm/latest/userguide/dns-validation.html",
    ),
    Prerequisite(
        "aws:lb/listener:Listener",
        lambda listener, graph: _validation_of(listener.inputs.get("certificateArn"), graph),
        f"{_AWS}/elasticloadbalancing/latest/application/https-listener-certificates.html",
    ),
    Prerequisite(
        "aws:cloudfront/distribution:Distribution",
        lambda distribution, graph: _validation_of(
            distribution.inputs["viewerCertificate"]["acmCertificateArn"], graph
        ),
        f"{_AWS}/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html",
    ),
    Prerequisite(
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        _topic_policies,
        f"{_AWS}/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html",
    ),
)
"""In the order in which they are created."""
