"""The types of hosts, tasks and their scaling."""

from __future__ import annotations

import json

from tests.aws_schemas.mapped import Mapped, Properties, capitals, listed, pairs

PROVIDERS_OWN = "The provider's own: what it does, not what AWS is given."


def _scheduled(properties: Properties) -> Properties:
    of_target = ("ServiceNamespace", "ScalableDimension", "ResourceId")
    action = {key: value for key, value in properties.items() if key not in of_target}
    target: Properties = {key: properties[key] for key in of_target}
    return {**target, "MinCapacity": 1, "MaxCapacity": 1, "ScheduledActions": [action]}


_LAUNCH_TEMPLATE = {"launchTemplate.id": "LaunchTemplateId", "launchTemplate.name": "LaunchTemplateName"}

COMPUTE = {
    "aws:appautoscaling/policy:Policy": Mapped(
        "AWS::ApplicationAutoScaling::ScalingPolicy", names={"name": "PolicyName"}
    ),
    "aws:appautoscaling/scheduledAction:ScheduledAction": Mapped(
        "AWS::ApplicationAutoScaling::ScalableTarget", names={"name": "ScheduledActionName"}, whole=_scheduled
    ),
    "aws:appautoscaling/target:Target": Mapped(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        names={"roleArn": "RoleARN"},
    ),
    "aws:autoscaling/group:Group": Mapped(
        "AWS::AutoScaling::AutoScalingGroup",
        names={
            **_LAUNCH_TEMPLATE,
            "name": "AutoScalingGroupName",
            "protectFromScaleIn": "NewInstancesProtectedFromScaleIn",
            "vpcZoneIdentifiers": "VPCZoneIdentifier",
            "defaultCooldown": "Cooldown",
            "enabledMetrics": "MetricsCollection",
            "mixedInstancesPolicy.launchTemplate.overrides": "Overrides",
        },
        values={"enabledMetrics": lambda names: [{"Granularity": "1Minute", "Metrics": names}]},
        omitted={
            "forceDelete": PROVIDERS_OWN,
            "forceDeleteWarmPool": PROVIDERS_OWN,
            "ignoreFailedScalingActivities": PROVIDERS_OWN,
            "instanceRefresh": "CloudFormation rolls the instances by an update policy.",
            "waitForCapacityTimeout": PROVIDERS_OWN,
            "metricsGranularity": "It is in MetricsCollection.",
        },
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": Mapped(
        "AWS::EC2::LaunchTemplate",
        below="LaunchTemplateData",
        names={
            "name": "^LaunchTemplateName",
            "description": "^VersionDescription",
            "tags": "^TagSpecifications",
            "vpcSecurityGroupIds": "SecurityGroupIds",
        },
        values={
            "tags": lambda tags: [{"ResourceType": "launch-template", "Tags": pairs(tags)}],
            "tagSpecifications": lambda specs: [
                {"ResourceType": spec["resourceType"], "Tags": pairs(spec["tags"])} for spec in specs
            ],
        },
        omitted={"updateDefaultVersion": PROVIDERS_OWN, "defaultVersion": PROVIDERS_OWN},
    ),
    "aws:ecs/capacityProvider:CapacityProvider": Mapped("AWS::ECS::CapacityProvider", names={"name": "Name"}),
    "aws:ecs/cluster:Cluster": Mapped(
        "AWS::ECS::Cluster", names={"name": "ClusterName", "settings": "ClusterSettings"}
    ),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": Mapped(
        "AWS::ECS::ClusterCapacityProviderAssociations",
        names={
            "clusterName": "Cluster",
            "defaultCapacityProviderStrategies": "DefaultCapacityProviderStrategy",
        },
    ),
    "aws:ecs/service:Service": Mapped(
        "AWS::ECS::Service",
        names={
            "name": "ServiceName",
            "iamRole": "Role",
            "capacityProviderStrategies": "CapacityProviderStrategy",
            "deploymentCircuitBreaker": "DeploymentConfiguration.DeploymentCircuitBreaker",
            "deploymentMaximumPercent": "DeploymentConfiguration.MaximumPercent",
            "deploymentMinimumHealthyPercent": "DeploymentConfiguration.MinimumHealthyPercent",
            "alarms": "DeploymentConfiguration.Alarms",
            "enableEcsManagedTags": "EnableECSManagedTags",
            "forceNewDeployment": "ForceNewDeployment.EnableForceNewDeployment",
            "orderedPlacementStrategies": "PlacementStrategies",
        },
        omitted={
            "forceDelete": PROVIDERS_OWN,
            "triggers": PROVIDERS_OWN,
            "waitForSteadyState": PROVIDERS_OWN,
        },
    ),
    "aws:ecs/taskDefinition:TaskDefinition": Mapped(
        "AWS::ECS::TaskDefinition",
        names={
            "volumes.efsVolumeConfiguration": "EFSVolumeConfiguration",
            "volumes.efsVolumeConfiguration.fileSystemId": "FilesystemId",
            "volumes.efsVolumeConfiguration.authorizationConfig.iam": "IAM",
            "volumes.hostPath": "Host.SourcePath",
        },
        values={"containerDefinitions": lambda text: capitals(json.loads(text))},
        omitted={"skipDestroy": PROVIDERS_OWN, "trackLatest": PROVIDERS_OWN},
    ),
    "aws:iam/instanceProfile:InstanceProfile": Mapped(
        "AWS::IAM::InstanceProfile",
        names={"name": "InstanceProfileName", "role": "Roles"},
        values={"role": listed},
        omitted={"tags": "AWS takes them, CloudFormation does not."},
    ),
}
