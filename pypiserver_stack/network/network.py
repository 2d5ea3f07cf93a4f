"""The network as one component: given subnets or a VPC of the stack's own, and the security groups in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pulumi

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.network.endpoints import InterfaceEndpoints, S3Endpoint
from pypiserver_stack.network.flow_logs import FlowLogs
from pypiserver_stack.network.own_vpc import OwnVpc
from pypiserver_stack.network.security_groups import AllowedClients, SecurityGroups
from pypiserver_stack.network.site import GivenSite, OwnSite
from pypiserver_stack.settings.groups.network import NetworkSettings


class Network(pulumi.ComponentResource):
    """Subnets and security groups for each part of the deployment."""

    vpc_id: pulumi.Input[str]
    vpc_cidrs: Sequence[pulumi.Input[str]]
    """The VPC's own ranges: IPv4, then IPv6 if the stack is dual-stack."""
    public_subnet_ids: Sequence[pulumi.Input[str]]
    """For a balancer that faces the internet; the given ones of the balancer, which its owner routes as is right."""
    internal_subnet_ids: Sequence[pulumi.Input[str]]
    """For a balancer that does not; the given ones too."""
    private_subnet_ids: Sequence[pulumi.Input[str]]
    """For instances."""
    mount_target_subnet_ids: Mapping[str, pulumi.Input[str]]
    """One of `private_subnet_ids` for each availability zone, by what tells the zone from the others."""
    ip_address_type: Literal["ipv4", "dualstack"]
    """The balancer's."""
    internet_access: Sequence[pulumi.Resource] = ()
    """What a balancer with public addresses depends on: AWS refuses it in a VPC without an internet gateway. Given
    subnets have theirs already."""

    def __init__(
        self,
        name: str,
        settings: NetworkSettings,
        tags: Tags,
        site: OwnSite | GivenSite,
        *,
        clients: AllowedClients,
        log_kms_key_arn: pulumi.Input[str] | None,
        protect: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """
        Args:
            site: from `find_site`.
            clients: who may reach the balancer, and on which ports.
            log_kms_key_arn: key of the flow logs.
            protect: whether Pulumi refuses to delete a VPC of the stack's own.
        """
        super().__init__("pypiserver:index:Network", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = tags
        self.ip_address_type = "dualstack" if settings.ipv6_enabled else "ipv4"
        s3_prefix_list_id = None
        if isinstance(site, GivenSite):
            self._use(site)
        else:
            own = self._make(name, settings, site, protect)
            if settings.flow_logs_enabled:
                FlowLogs(
                    name,
                    tags,
                    vpc_id=self.vpc_id,
                    retention_days=settings.flow_logs_retention_days,
                    kms_key_arn=log_kms_key_arn,
                    opts=self._child,
                )
            s3 = S3Endpoint(
                name, tags, vpc_id=self.vpc_id, route_table_ids=own.private_route_table_ids, opts=self._child
            )
            if settings.nat_gateways == "none":
                s3_prefix_list_id = s3.prefix_list_id
        groups = SecurityGroups(
            name,
            settings,
            tags,
            vpc_id=self.vpc_id,
            vpc_cidrs=self.vpc_cidrs,
            clients=clients,
            s3_prefix_list_id=s3_prefix_list_id,
            opts=self._child,
        )
        if groups.endpoints is not None:
            InterfaceEndpoints(
                name,
                tags,
                vpc_id=self.vpc_id,
                subnet_ids=self.private_subnet_ids,
                security_group_id=groups.endpoints.id,
                opts=self._child,
            )
        self.balancer_group = groups.balancer
        self.instance_group = groups.instances
        self.file_system_group = groups.files
        self.register_outputs({"vpc_id": self.vpc_id})

    def _use(self, site: GivenSite) -> None:
        self.vpc_id = site.vpc_id
        self.vpc_cidrs = site.vpc_cidrs
        self.public_subnet_ids = self.internal_subnet_ids = site.balancer_subnet_ids
        self.private_subnet_ids = site.instance_subnet_ids
        self.mount_target_subnet_ids = site.mount_target_subnet_ids

    def _make(self, name: str, settings: NetworkSettings, site: OwnSite, protect: bool) -> OwnVpc:
        own = OwnVpc(name, settings, self._tags, site.zones, protect=protect, opts=self._child)
        self.vpc_id = own.vpc.id
        self.vpc_cidrs = own.cidrs
        self.internet_access = own.internet_access
        self.public_subnet_ids = own.public_subnet_ids
        self.internal_subnet_ids = self.private_subnet_ids = own.private_subnet_ids
        # Zones are added and taken away at the end: here a number stays with its zone.
        self.mount_target_subnet_ids = {str(i): subnet for i, subnet in enumerate(own.private_subnet_ids)}
        return own
