"""Kinds of hosts and tasks: cluster, service, capacity provider, Auto Scaling group, instances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from bench.deployment.aws.run_tags import EXPIRES, OWNER, RUN
from bench.deployment.aws.sweep.clients import ServiceClients
from bench.deployment.aws.sweep.kind import ResourceKind
from bench.deployment.aws.sweep.lists import Lists
from bench.deployment.aws.sweep.resource import Presence, RunResource, Sighting, key_value_tags, lower_case_tags
from bench.deployment.aws.sweep.states import presence_by_state
from sizing.cost import HOURS_PER_MONTH, prices
from sizing.instances import catalogue

_TARGET = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
_DESCRIBED_AT_ONCE = 100


def described_clusters(aws: ServiceClients, names: list[str]) -> Iterator[Any]:
    """Clusters with their tags; deleted ones too, as long as AWS remembers them."""
    for start in range(0, len(names), _DESCRIBED_AT_ONCE):
        some = names[start : start + _DESCRIBED_AT_ONCE]
        yield from aws("ecs").describe_clusters(clusters=some, include=["TAGS"])["clusters"]


def _clusters(lists: Lists) -> Iterator[Sighting]:
    for cluster in described_clusters(lists.aws, list(lists.aws.listed("ecs", "list_clusters", "clusterArns"))):
        yield Sighting(cluster["clusterArn"], lower_case_tags(cluster.get("tags", ())))


def _look_at_cluster(aws: ServiceClients, cluster: RunResource) -> Presence:
    found = aws("ecs").describe_clusters(clusters=[cluster.id])["clusters"]
    return presence_by_state(found[0]["status"], gone=("inactive",)) if found else Presence.GONE


def _remove_cluster(aws: ServiceClients, cluster: RunResource) -> None:
    """With the tasks that no service holds, and the instances that have not said goodbye."""
    ecs = aws("ecs")
    for task in aws.listed("ecs", "list_tasks", "taskArns", cluster=cluster.id):
        ecs.stop_task(cluster=cluster.id, task=task, reason="bench sweep")
    for instance in aws.listed("ecs", "list_container_instances", "containerInstanceArns", cluster=cluster.id):
        ecs.deregister_container_instance(cluster=cluster.id, containerInstance=instance, force=True)
    ecs.delete_cluster(cluster=cluster.id)


def _services(lists: Lists) -> Iterator[Sighting]:
    for cluster in lists.of("ECS cluster"):
        for service in lists.aws.listed("ecs", "list_services", "serviceArns", cluster=cluster.id):
            yield Sighting(service, cluster.tags, parent=cluster.id)


def _look_at_service(aws: ServiceClients, service: RunResource) -> Presence:
    found = aws("ecs").describe_services(cluster=service.parent, services=[service.id])["services"]
    return presence_by_state(found[0]["status"], gone=("inactive",)) if found else Presence.GONE


def _remove_service(aws: ServiceClients, service: RunResource) -> None:
    aws("ecs").update_service(cluster=service.parent, service=service.id, desiredCount=0)
    aws("ecs").delete_service(cluster=service.parent, service=service.id, force=True)


def _scalable_targets(lists: Lists) -> Iterator[Sighting]:
    """Scaling of services."""
    of_services = {service.id.split(":", 5)[5]: service.tags for service in lists.of("ECS service")}
    scaling = "application-autoscaling"
    for target in lists.aws.listed(scaling, "describe_scalable_targets", "ScalableTargets", ServiceNamespace="ecs"):
        tags = of_services.get(target["ResourceId"])
        if tags is None and "ScalableTargetARN" in target:
            tags = lists.aws(scaling).list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"]
        yield Sighting(target["ResourceId"], tags or {})


def _look_at_target(aws: ServiceClients, target: RunResource) -> object:
    scaling = aws("application-autoscaling")
    return scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[target.id])["ScalableTargets"]


def _remove_target(aws: ServiceClients, target: RunResource) -> None:
    """With its policies, whose alarms go with them, and its schedules: neither takes tags."""
    scaling = aws("application-autoscaling")
    chosen = {**_TARGET, "ResourceId": target.id}
    for policy in aws.listed("application-autoscaling", "describe_scaling_policies", "ScalingPolicies", **chosen):
        scaling.delete_scaling_policy(**chosen, PolicyName=policy["PolicyName"])
    for action in aws.listed("application-autoscaling", "describe_scheduled_actions", "ScheduledActions", **chosen):
        scaling.delete_scheduled_action(**chosen, ScheduledActionName=action["ScheduledActionName"])
    scaling.deregister_scalable_target(**chosen)


def _capacity_providers(lists: Lists) -> Iterator[Sighting]:
    for provider in lists.aws.listed("ecs", "describe_capacity_providers", "capacityProviders", include=["TAGS"]):
        yield Sighting(provider["capacityProviderArn"], lower_case_tags(provider.get("tags", ())))


def _look_at_provider(aws: ServiceClients, provider: RunResource) -> Presence:
    found = aws("ecs").describe_capacity_providers(capacityProviders=[provider.id])["capacityProviders"]
    if not found or found[0]["status"] == "INACTIVE":
        return Presence.GONE
    is_leaving = found[0].get("updateStatus") == "DELETE_IN_PROGRESS"
    return Presence.LEAVING if is_leaving else Presence.PRESENT


def _remove_provider(aws: ServiceClients, provider: RunResource) -> None:
    """Its association with clusters first, else it cannot be deleted."""
    ecs = aws("ecs")
    name = provider.id.rpartition("/")[2]
    for cluster in described_clusters(aws, list(aws.listed("ecs", "list_clusters", "clusterArns"))):
        if name in cluster.get("capacityProviders", ()):
            ecs.put_cluster_capacity_providers(
                cluster=cluster["clusterArn"],
                capacityProviders=[one for one in cluster["capacityProviders"] if one != name],
                defaultCapacityProviderStrategy=[
                    one for one in cluster.get("defaultCapacityProviderStrategy", ()) if one["capacityProvider"] != name
                ],
            )
    ecs.delete_capacity_provider(capacityProvider=provider.id)


def _task_definitions(lists: Lists) -> Iterator[Sighting]:
    for arn, tags in lists.arns("ecs", "task-definition/"):
        yield Sighting(arn, tags)


def _look_at_task_definition(aws: ServiceClients, definition: RunResource) -> Presence:
    found = aws("ecs").describe_task_definition(taskDefinition=definition.id)["taskDefinition"]
    return presence_by_state(found["status"], gone=("inactive", "delete_in_progress"))


def _remove_task_definition(aws: ServiceClients, definition: RunResource) -> None:
    aws("ecs").deregister_task_definition(taskDefinition=definition.id)
    aws("ecs").delete_task_definitions(taskDefinitions=[definition.id])


def _groups(lists: Lists) -> Iterator[Sighting]:
    tags: dict[str, dict[str, str]] = defaultdict(dict)
    filters = [{"Name": "key", "Values": [RUN, OWNER, EXPIRES]}]
    for tag in lists.aws.listed("autoscaling", "describe_tags", "Tags", Filters=filters):
        tags[tag["ResourceId"]][tag["Key"]] = tag["Value"]
    for name, found in tags.items():
        yield Sighting(name, found)


def _look_at_group(aws: ServiceClients, group: RunResource) -> Presence:
    found = aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group.id])["AutoScalingGroups"]
    if not found:
        return Presence.GONE
    return Presence.LEAVING if found[0].get("Status") == "Delete in progress" else Presence.PRESENT


def _remove_group(aws: ServiceClients, group: RunResource) -> None:
    """Without the protection of its instances, which would outlive it."""
    scaling = aws("autoscaling")
    (found,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group.id])["AutoScalingGroups"]
    scaling.update_auto_scaling_group(
        AutoScalingGroupName=group.id, MinSize=0, MaxSize=0, DesiredCapacity=0, NewInstancesProtectedFromScaleIn=False
    )
    protected = [one["InstanceId"] for one in found.get("Instances", ()) if one.get("ProtectedFromScaleIn")]
    for start in range(0, len(protected), 50):  # as many as one request takes
        scaling.set_instance_protection(
            AutoScalingGroupName=group.id,
            InstanceIds=protected[start : start + 50],
            ProtectedFromScaleIn=False,
        )
    scaling.delete_auto_scaling_group(AutoScalingGroupName=group.id, ForceDelete=True)


def _instances(lists: Lists) -> Iterator[Sighting]:
    for reservation in lists.of_ec2("describe_instances", "Reservations"):
        for instance in reservation["Instances"]:
            known = catalogue().get(instance["InstanceType"])
            yield Sighting(
                instance["InstanceId"],
                key_value_tags(instance["Tags"]),
                made_at=instance["LaunchTime"],
                usd_per_hour=(known.price_usd_per_hour if known else None) or 0.0,
            )


def _look_at_instance(aws: ServiceClients, instance: RunResource) -> Presence:
    found = aws("ec2").describe_instances(InstanceIds=[instance.id])["Reservations"]
    if not found:
        return Presence.GONE
    return presence_by_state(found[0]["Instances"][0]["State"]["Name"], gone=("terminated",))


def _volumes(lists: Lists) -> Iterator[Sighting]:
    price = prices()["disk_gb_month"].usd / HOURS_PER_MONTH
    for volume in lists.of_ec2("describe_volumes", "Volumes"):
        yield Sighting(
            volume["VolumeId"],
            key_value_tags(volume["Tags"]),
            made_at=volume["CreateTime"],
            usd_per_hour=price * volume["Size"],
        )


def _look_at_volume(aws: ServiceClients, volume: RunResource) -> Presence:
    (found,) = aws("ec2").describe_volumes(VolumeIds=[volume.id])["Volumes"]
    # One in use goes with its instance.
    return Presence.LEAVING if found["State"] in ("deleting", "in-use") else Presence.PRESENT


SCALABLE_TARGET = ResourceKind(
    "scalable target",
    _scalable_targets,
    _look_at_target,
    _remove_target,
    "aws application-autoscaling deregister-scalable-target --service-namespace ecs "
    "--scalable-dimension ecs:service:DesiredCount --resource-id {id}",
)
ECS_SERVICE = ResourceKind(
    "ECS service",
    _services,
    _look_at_service,
    _remove_service,
    "aws ecs delete-service --force --cluster {parent} --service {id}",
)
CAPACITY_PROVIDER = ResourceKind(
    "capacity provider",
    _capacity_providers,
    _look_at_provider,
    _remove_provider,
    "aws ecs delete-capacity-provider --capacity-provider {id}",
)
AUTO_SCALING_GROUP = ResourceKind(
    "Auto Scaling group",
    _groups,
    _look_at_group,
    _remove_group,
    "aws autoscaling delete-auto-scaling-group --force-delete --auto-scaling-group-name {id}",
)
INSTANCE = ResourceKind(
    "instance",
    _instances,
    _look_at_instance,
    lambda aws, instance: aws("ec2").terminate_instances(InstanceIds=[instance.id]),
    "aws ec2 terminate-instances --instance-ids {id}",
)
VOLUME = ResourceKind(
    "volume",
    _volumes,
    _look_at_volume,
    lambda aws, volume: aws("ec2").delete_volume(VolumeId=volume.id),
    "aws ec2 delete-volume --volume-id {id}",
)
ECS_CLUSTER = ResourceKind(
    "ECS cluster", _clusters, _look_at_cluster, _remove_cluster, "aws ecs delete-cluster --cluster {id}"
)
TASK_DEFINITION = ResourceKind(
    "task definition",
    _task_definitions,
    _look_at_task_definition,
    _remove_task_definition,
    "aws ecs deregister-task-definition --task-definition {id}",
)
