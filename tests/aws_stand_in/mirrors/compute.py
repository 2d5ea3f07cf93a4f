"""Hosts, tasks and their scaling in the stand-in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bench.deployment.local_cloud import ACCOUNT_ID, REGION, Record
from tests.aws_stand_in.mirror import Aws, Mirror, given, tagged


def _lower_tags(record: Record) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in record.inputs.get("tags", {}).items()]


def _template_data(record: Record) -> dict[str, Any]:
    # Of a template's data only this is read by what starts instances.
    data = given(record, "imageId", "instanceType", "userData")
    data["SecurityGroupIds"] = record.inputs["vpcSecurityGroupIds"]
    data["TagSpecifications"] = [
        {
            "ResourceType": one["resourceType"],
            "Tags": [{"Key": key, "Value": value} for key, value in one["tags"].items()],
        }
        for one in record.inputs["tagSpecifications"]
    ]
    return data


def _template(aws: Aws, record: Record) -> Mapping[str, Any]:
    template = aws("ec2").create_launch_template(
        LaunchTemplateName=record.outputs["name"],
        LaunchTemplateData=_template_data(record),
        TagSpecifications=tagged("launch-template", record),
    )["LaunchTemplate"]
    id_ = template["LaunchTemplateId"]
    return {"id": id_, "arn": f"arn:aws:ec2:{REGION}:{ACCOUNT_ID}:launch-template/{id_}"}


def _group_size(record: Record) -> dict[str, Any]:
    return {
        "AutoScalingGroupName": record.id,
        "MinSize": record.inputs["minSize"],
        "MaxSize": record.inputs["maxSize"],
    }


def _group(aws: Aws, record: Record) -> Mapping[str, Any]:
    inputs = record.inputs
    if "mixedInstancesPolicy" in inputs:
        chosen = inputs["mixedInstancesPolicy"]["launchTemplate"]["launchTemplateSpecification"]
        template = {"LaunchTemplateId": chosen["launchTemplateId"], "Version": chosen["version"]}
    else:
        template = {"LaunchTemplateId": inputs["launchTemplate"]["id"], "Version": inputs["launchTemplate"]["version"]}
    aws("autoscaling").create_auto_scaling_group(
        **_group_size(record),
        LaunchTemplate=template,
        VPCZoneIdentifier=",".join(inputs["vpcZoneIdentifiers"]),
        NewInstancesProtectedFromScaleIn=inputs["protectFromScaleIn"],
        Tags=[
            {
                "Key": tag["key"],
                "Value": tag["value"],
                "PropagateAtLaunch": tag["propagateAtLaunch"],
                "ResourceId": record.id,
                "ResourceType": "auto-scaling-group",
            }
            for tag in inputs["tags"]
        ],
    )
    return {"arn": _look_for_group(aws, record)[0]["AutoScalingGroupARN"]}


def _look_for_group(aws: Aws, record: Record) -> Any:
    return aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[record.id])["AutoScalingGroups"]


def _provider(aws: Aws, record: Record) -> Mapping[str, Any]:
    arn = aws("ecs").create_capacity_provider(
        name=record.outputs["name"],
        autoScalingGroupProvider={**record.inputs["autoScalingGroupProvider"]},
        tags=_lower_tags(record),
    )["capacityProvider"]["capacityProviderArn"]
    return {"id": arn, "arn": arn}


def _cluster(aws: Aws, record: Record) -> Mapping[str, Any]:
    arn = aws("ecs").create_cluster(
        clusterName=record.outputs["name"], settings=record.inputs["settings"], tags=_lower_tags(record)
    )["cluster"]["clusterArn"]
    return {"id": arn, "arn": arn}


def _providers(aws: Aws, record: Record) -> Mapping[str, Any]:
    aws("ecs").put_cluster_capacity_providers(
        cluster=record.inputs["clusterName"],
        capacityProviders=record.inputs["capacityProviders"],
        defaultCapacityProviderStrategy=record.inputs["defaultCapacityProviderStrategies"],
    )
    return {}


def _remove_providers(aws: Aws, record: Record) -> None:
    aws("ecs").put_cluster_capacity_providers(
        cluster=record.inputs["clusterName"], capacityProviders=[], defaultCapacityProviderStrategy=[]
    )


def _clusters(aws: Aws, name: str) -> Any:
    found = aws("ecs").describe_clusters(clusters=[name])["clusters"]
    return [cluster for cluster in found if cluster["status"] == "ACTIVE"]


def _volume(volume: Mapping[str, Any]) -> dict[str, Any]:
    host = {"host": {"sourcePath": volume["hostPath"]}} if "hostPath" in volume else {}
    return {**{key: value for key, value in volume.items() if key != "hostPath"}, **host}


def _task_definition(aws: Aws, record: Record) -> Mapping[str, Any]:
    inputs = record.inputs
    made = aws("ecs").register_task_definition(
        family=inputs["family"],
        containerDefinitions=json.loads(inputs["containerDefinitions"]),
        volumes=[_volume(volume) for volume in inputs["volumes"]],
        networkMode=inputs["networkMode"],
        requiresCompatibilities=inputs["requiresCompatibilities"],
        taskRoleArn=inputs["taskRoleArn"],
        executionRoleArn=inputs["executionRoleArn"],
        tags=_lower_tags(record),
    )["taskDefinition"]
    return {"arn": made["taskDefinitionArn"], "revision": made["revision"]}


def _look_for_definition(aws: Aws, record: Record) -> bool:
    active = aws("ecs").list_task_definitions(familyPrefix=record.inputs["family"], status="ACTIVE")
    return record.outputs["arn"] in active["taskDefinitionArns"]


def _service(aws: Aws, record: Record) -> Mapping[str, Any]:
    inputs = record.inputs
    arn = aws("ecs").create_service(
        serviceName=record.outputs["name"],
        **{key: inputs[key] for key in ("cluster", "taskDefinition", "desiredCount", "loadBalancers", "propagateTags")},
        capacityProviderStrategy=inputs["capacityProviderStrategies"],
        tags=_lower_tags(record),
    )["service"]["serviceArn"]
    return {"id": arn, "arn": arn}


def _remove_service(aws: Aws, record: Record) -> None:
    aws("ecs").delete_service(cluster=record.inputs["cluster"], service=record.id, force=True)


def _look_for_service(aws: Aws, record: Record) -> bool:
    if not _clusters(aws, record.inputs["cluster"]):
        return False
    found = aws("ecs").describe_services(cluster=record.inputs["cluster"], services=[record.id])["services"]
    return any(service["status"] != "INACTIVE" for service in found)


def _change_service(aws: Aws, record: Record) -> None:
    names = ("cluster", "taskDefinition", "desiredCount")
    aws("ecs").update_service(service=record.id, **{name: record.inputs[name] for name in names})


MIRRORS: Mapping[str, Mirror] = {
    "aws:ec2/launchTemplate:LaunchTemplate": Mirror(
        _template,
        lambda aws, record: aws("ec2").delete_launch_template(LaunchTemplateId=record.id),
        lambda aws, record: aws("ec2").describe_launch_templates(LaunchTemplateIds=[record.id])["LaunchTemplates"],
        lambda aws, record: aws("ec2").create_launch_template_version(
            LaunchTemplateId=record.id, LaunchTemplateData=_template_data(record)
        ),
    ),
    "aws:autoscaling/group:Group": Mirror(
        _group,
        lambda aws, record: aws("autoscaling").delete_auto_scaling_group(
            AutoScalingGroupName=record.id, ForceDelete=True
        ),
        _look_for_group,
        lambda aws, record: aws("autoscaling").update_auto_scaling_group(**_group_size(record)),
    ),
    "aws:ecs/capacityProvider:CapacityProvider": Mirror(
        _provider,
        lambda aws, record: aws("ecs").delete_capacity_provider(capacityProvider=record.id),
        lambda aws, record: aws("ecs").describe_capacity_providers(capacityProviders=[record.id])["capacityProviders"],
    ),
    "aws:ecs/cluster:Cluster": Mirror(
        _cluster,
        lambda aws, record: aws("ecs").delete_cluster(cluster=record.id),
        lambda aws, record: _clusters(aws, record.id),
    ),
    "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": Mirror(
        _providers,
        _remove_providers,
        lambda aws, record: any(
            cluster["capacityProviders"] for cluster in _clusters(aws, record.inputs["clusterName"])
        ),
    ),
    "aws:ecs/taskDefinition:TaskDefinition": Mirror(
        _task_definition,
        lambda aws, record: aws("ecs").deregister_task_definition(taskDefinition=record.outputs["arn"]),
        _look_for_definition,
    ),
    "aws:ecs/service:Service": Mirror(_service, _remove_service, _look_for_service, _change_service),
}
