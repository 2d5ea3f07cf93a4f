"""Everything that exists in the stand-in, asked of each service: what a sweep must not touch is the same afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bench.deployment.local_cloud import REGION
from tests.aws_stand_in import missing_operations
from tests.aws_stand_in.clients import client

_EC2 = {
    "describe_vpcs": ("Vpcs", "VpcId"),
    "describe_subnets": ("Subnets", "SubnetId"),
    "describe_security_groups": ("SecurityGroups", "GroupId"),
    "describe_security_group_rules": ("SecurityGroupRules", "SecurityGroupRuleId"),
    "describe_route_tables": ("RouteTables", "RouteTableId"),
    "describe_internet_gateways": ("InternetGateways", "InternetGatewayId"),
    "describe_egress_only_internet_gateways": ("EgressOnlyInternetGateways", "EgressOnlyInternetGatewayId"),
    "describe_addresses": ("Addresses", "AllocationId"),
    "describe_flow_logs": ("FlowLogs", "FlowLogId"),
    "describe_launch_templates": ("LaunchTemplates", "LaunchTemplateId"),
    "describe_volumes": ("Volumes", "VolumeId"),
}
_OTHERS = (
    ("efs", "describe_file_systems", "FileSystems", "FileSystemId"),
    ("efs", "describe_access_points", "AccessPoints", "AccessPointId"),
    ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupName"),
    ("backup", "list_backup_plans", "BackupPlansList", "BackupPlanId"),
    ("backup", "list_backup_vaults", "BackupVaultList", "BackupVaultName"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("ecs", "describe_capacity_providers", "capacityProviders", "name"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("secretsmanager", "list_secrets", "SecretList", "ARN"),
    ("sns", "list_topics", "Topics", "TopicArn"),
)


def inventory() -> frozenset[str]:
    """Service and id of everything. What AWS keeps of a deleted resource for a while is left out."""
    return frozenset(f"{service} {id_}" for service, find in _FINDERS.items() for id_ in find())


def _ec2() -> Iterator[str]:
    ec2 = client("ec2")
    # moto forgets no interface of an instance or a balancer; AWS deletes no VPC that has one.
    vpcs = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}
    interfaces = ec2.describe_network_interfaces()["NetworkInterfaces"]
    yield from (one["NetworkInterfaceId"] for one in interfaces if one["VpcId"] in vpcs)
    for operation, (key, id_) in _EC2.items():
        yield from (one[id_] for one in getattr(ec2, operation)()[key])
    yield from (one["NatGatewayId"] for one in ec2.describe_nat_gateways()["NatGateways"] if one["State"] != "deleted")
    endpoints = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    yield from (one["VpcEndpointId"] for one in endpoints if one["State"] != "deleted")
    for reservation in ec2.describe_instances()["Reservations"]:
        yield from (one["InstanceId"] for one in reservation["Instances"] if one["State"]["Name"] != "terminated")


def _simple() -> Iterator[str]:
    for service, operation, key, id_ in _OTHERS:
        yield from (f"{service} {one[id_]}" for one in getattr(client(service), operation)()[key])


def _ecs() -> Iterator[str]:
    ecs = client("ecs")
    for cluster in ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]:
        if cluster["status"] == "ACTIVE":
            yield cluster["clusterArn"]
            services = ecs.list_services(cluster=cluster["clusterArn"])["serviceArns"]
            yield from services
    yield from ecs.list_task_definitions(status="ACTIVE")["taskDefinitionArns"]
    targets = client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")
    yield from (one["ScalableTargetARN"] for one in targets["ScalableTargets"])


def _edge() -> Iterator[str]:
    for region in (REGION, "us-east-1"):
        acm = client("acm", region)
        yield from (one["CertificateArn"] for one in acm.list_certificates()["CertificateSummaryList"])
    for scope, region in (("REGIONAL", REGION), ("CLOUDFRONT", "us-east-1")):
        yield from (one["ARN"] for one in client("wafv2", region).list_web_acls(Scope=scope)["WebACLs"])
    route53 = client("route53")
    for zone in route53.list_hosted_zones()["HostedZones"]:
        for one in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            yield f"{zone['Id']} {one['Name']} {one['Type']}"
    distributions = client("cloudfront").list_distributions()["DistributionList"]
    yield from (one["Id"] for one in distributions.get("Items", ()))
    logs = client("logs", "us-east-1")
    yield from (one["id"] for one in logs.describe_deliveries()["deliveries"])


def _keys() -> Iterator[str]:
    kms = client("kms")
    for key in kms.list_keys()["Keys"]:
        if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] != "PendingDeletion":
            yield key["KeyId"]


def _missing_in_moto() -> Iterator[str]:
    stores: tuple[Mapping[str, Any], ...] = (
        missing_operations.saved_queries,
        missing_operations.selections,
        missing_operations.recovery_points,
        *missing_operations.policies.values(),
    )
    for store in stores:
        yield from store


_FINDERS: Mapping[str, Callable[[], Iterator[str]]] = {
    "ec2": _ec2,
    "": _simple,
    "ecs": _ecs,
    "edge": _edge,
    "kms": _keys,
    "more": _missing_in_moto,
}
