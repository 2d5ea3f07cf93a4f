"""PypiServer, the whole deployment as one component."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from pypiserver_stack.common.regions import refuse_other_regions
from pypiserver_stack.common.resource_names import resource_name
from pypiserver_stack.common.tags import Tags
from pypiserver_stack.hosts.fleet import Fleet
from pypiserver_stack.hosts.instance_role import refuse_large_policy
from pypiserver_stack.hosts.launch_template import refuse_large_user_data
from pypiserver_stack.hosts.plan import plan_capacity
from pypiserver_stack.ingress.load_balancer import LoadBalancer, clients
from pypiserver_stack.monitoring.alarms import Alarms
from pypiserver_stack.monitoring.dashboard import Dashboard
from pypiserver_stack.monitoring.log_queries import LogQueries
from pypiserver_stack.monitoring.metrics import Metrics
from pypiserver_stack.network import Network, find_site
from pypiserver_stack.outputs import Outputs
from pypiserver_stack.settings import Settings, warning_sentences
from pypiserver_stack.storage.backup import Backup
from pypiserver_stack.storage.credentials import Credentials
from pypiserver_stack.storage.file_system import Storage
from pypiserver_stack.tasks.container_definition import container
from pypiserver_stack.tasks.scaling import Scaling
from pypiserver_stack.tasks.service import Service

ROLES = ("admin", "read", "upload")
"""Roles with a generated credential each."""


class PypiServer(Outputs, pulumi.ComponentResource):
    """A package index: network, storage, backup, credentials, balancer, hosts and service, in the order of need."""

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        """
        Args:
            name: any; what names of resources begin with is made of it.

        Raises:
            ConfigurationError: before any resource exists.
        """
        component, name = name, resource_name(name)
        if "service_name" not in settings.model_fields_set:
            settings = settings.model_copy(update={"service_name": name})
        instance, plan = plan_capacity(settings, opts)
        refuse_other_regions(settings, opts)
        site = find_site(settings, opts)
        refuse_large_user_data(name, settings, plan)
        refuse_large_policy(name, settings)
        super().__init__("pypiserver:index:PypiServer", component, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        for warning in (*plan.warnings, *warning_sentences(settings)):
            pulumi.log.warn(warning, self)

        tags = Tags(settings)
        network = Network(
            name,
            settings,
            tags,
            site,
            clients=clients(settings, settings.cloudfront_enabled, self),
            log_kms_key_arn=settings.log_kms_key_arn,
            protect=settings.deletion_protection,
            opts=child,
        )
        storage = Storage(
            name,
            settings,
            tags,
            subnet_ids=network.mount_target_subnet_ids,
            security_group_id=network.file_system_group.id,
            protect=settings.deletion_protection,
            opts=child,
        )
        backup = None
        if settings.backup_enabled:
            backup = Backup(name, settings, tags, storage, kms_key_arn=settings.efs_kms_key_arn, opts=child)
        # Only our own check knows roles; what the others know of the generated credentials is one user with all rights.
        roles = ROLES if settings.authentication == "sha256" else ("admin",)
        credentials = Credentials(name, settings, tags, roles=roles, opts=child)
        administrator = credentials.by_role["admin"]
        load_balancer = LoadBalancer(
            name,
            settings,
            tags,
            names=settings,
            cloudfront=settings,
            credentials=settings,
            network=network,
            protect=settings.deletion_protection,
            opts=child,
        )
        htpasswd = pulumi.Output.concat(administrator.username, ":", administrator.bcrypt_hash, "\n")
        task_container = container(
            settings,
            plan,
            htpasswd,
            health_check_path=settings.health_check_path,
            shared_cache=settings.cloudfront_enabled,
        )
        fleet = Fleet(
            name,
            settings,
            tags,
            plan,
            instance,
            container_insights=settings.container_insights,
            host_files={file.host_path: file.content for file in task_container.host_files},
            network=network,
            opts=child,
        )
        service = Service(
            name,
            settings,
            tags,
            plan,
            task_container,
            logging=settings,
            fleet=fleet,
            storage=storage,
            credentials=credentials,
            load_balancer=load_balancer,
            opts=child,
        )
        metrics = Metrics(
            cluster_name=fleet.cluster.name,
            service_name=service.service.name,
            load_balancer=load_balancer.balancer.arn_suffix,
            target_group=load_balancer.target_group.arn_suffix,
            file_system_id=storage.file_system.id,
            asg_name=fleet.group.name,
        )
        alarms = Alarms(
            name,
            settings,
            tags,
            plan,
            instance,
            metrics=metrics,
            throughput_mode=settings.efs_throughput_mode,
            certificate_arn=load_balancer.certificate_arn,
            opts=child,
        )
        dashboard = None
        if settings.dashboard_enabled:
            dashboard = Dashboard(
                name,
                settings,
                plan,
                metrics=metrics,
                throughput_mode=settings.efs_throughput_mode,
                alarm_arns=alarms.arns,
                opts=child,
            )
        LogQueries(
            name,
            settings,
            entry_point=settings.entry_point,
            health_check_path=settings.health_check_path,
            log_group=service.logs.name,
            opts=child,
        )
        Scaling(name, settings, tags, plan, fleet=fleet, service=service, load_balancer=load_balancer, opts=child)
        self.exports: Mapping[str, pulumi.Input[object]] = {
            "url": load_balancer.urls[0],
            "urls": load_balancer.urls,
            "username": administrator.username,
            "password": administrator.password,
            "credentials_secret_arn": administrator.secret_arn,
            **_of_role("read", credentials),
            **_of_role("upload", credentials),
            **_once_deployed(service, settings),
            "load_balancer_arn": load_balancer.balancer.arn,
            "load_balancer_dns_name": load_balancer.balancer.dns_name,
            **_distribution(load_balancer),
            "access_logs_bucket": load_balancer.access_logs.bucket.bucket,
            "ecs_cluster_name": fleet.cluster.name,
            "ecs_service_name": service.service.name,
            "ecs_service_arn": service.service.arn,
            "task_definition_arn": service.task_definition_arn,
            "asg_name": fleet.group.name,
            "file_system_id": storage.file_system.id,
            "cloudwatch_alarm_sns_topic_arn": alarms.topic_arn,
            "cloudwatch_alarm_arns": alarms.arns,
            "cloudwatch_dashboard_url": dashboard.url if dashboard else None,
            "access_point_id": storage.access_point.id,
            "backup_vault_name": backup.vault.name if backup else None,
            "backup_role_arn": backup.role.role.arn if backup else None,
            "profile": settings.profile,
            "capacity": {**plan.as_dict(), "warnings": [*plan.warnings, *warning_sentences(settings, "load")]},
        }
        """Exports of a stack that consists of this component: all of its outputs."""
        for output, value in self.exports.items():
            setattr(self, output, value)
        self.register_outputs(dict(self.exports))


def _of_role(role: str, credentials: Credentials) -> dict[str, pulumi.Input[object]]:
    credential = credentials.by_role.get(role)
    return {
        f"{role}_username": credential.username if credential else None,
        f"{role}_password": credential.password if credential else None,
        f"{role}_credentials_secret_arn": credential.secret_arn if credential else None,
    }


def _distribution(load_balancer: LoadBalancer) -> dict[str, pulumi.Input[object]]:
    if load_balancer.cloudfront is None:
        return {"cloudfront_distribution_id": None, "cloudfront_domain_name": None}
    distribution = load_balancer.cloudfront.distribution
    return {"cloudfront_distribution_id": distribution.id, "cloudfront_domain_name": distribution.domain_name}


def _once_deployed(service: Service, settings: Settings) -> dict[str, pulumi.Output[object]]:
    """Outputs that tell a rotation its progress, known only once the service has these passwords.

    An update that fails may all the same write those of a stack's outputs that wait for nothing.
    """
    passwords = pulumi.Output.all(
        service.task_definition_arn, list(settings.password_generations), settings.published_generation
    )
    return {"password_generations": passwords[1], "published_password_generation": passwords[2]}
