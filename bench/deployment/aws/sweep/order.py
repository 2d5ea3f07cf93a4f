"""The kinds in the order of their removal: what uses another goes first. They are looked for the other way round."""

from __future__ import annotations

from collections.abc import Mapping

from bench.deployment.aws.sweep.kind import ResourceKind
from bench.deployment.aws.sweep.kinds import compute, edge, identity, monitoring, network, records, storage

KINDS: tuple[ResourceKind, ...] = (
    # Nothing is to be notified, and no new task to be started, from here on.
    monitoring.ALARM,
    monitoring.DASHBOARD,
    compute.SCALABLE_TARGET,
    records.RECORD,
    compute.ECS_SERVICE,
    # CloudFront takes minutes: it leaves while the rest is removed.
    monitoring.LOG_DELIVERY,
    monitoring.LOG_SOURCE,
    monitoring.LOG_DESTINATION,
    edge.CACHE_POLICY,
    edge.ORIGIN_REQUEST_POLICY,
    edge.DISTRIBUTION,
    edge.LOAD_BALANCER,
    edge.TARGET_GROUP,
    edge.WEB_ACL,
    edge.CERTIFICATE,
    compute.CAPACITY_PROVIDER,
    compute.AUTO_SCALING_GROUP,
    compute.INSTANCE,
    compute.VOLUME,
    compute.ECS_CLUSTER,
    monitoring.INSIGHTS_LOG_GROUP,
    compute.TASK_DEFINITION,
    network.LAUNCH_TEMPLATE,
    storage.BACKUP_SELECTION,
    storage.BACKUP_PLAN,
    storage.RECOVERY_POINT,
    storage.BACKUP_VAULT,
    storage.MOUNT_TARGET,
    storage.ACCESS_POINT,
    storage.FILE_SYSTEM,
    network.FLOW_LOG,
    network.NAT_GATEWAY,
    network.VPC_ENDPOINT,
    network.ELASTIC_IP,
    network.NETWORK_INTERFACE,
    network.SECURITY_GROUP,
    network.SUBNET,
    network.ROUTE_TABLE,
    network.EGRESS_GATEWAY,
    network.INTERNET_GATEWAY,
    network.VPC,
    monitoring.QUERY,
    monitoring.LOG_GROUP,
    storage.BUCKET,
    identity.SECRET,
    monitoring.TOPIC,
    identity.KEY,
    identity.INSTANCE_PROFILE,
    identity.ROLE,
)
BY_NAME: Mapping[str, ResourceKind] = {kind.name: kind for kind in KINDS}
