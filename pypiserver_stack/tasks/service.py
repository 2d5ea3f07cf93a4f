"""ECS service with its task definition, roles and deployments."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.policies import ServiceRole
from pypiserver_stack.common.tags import Tags
from pypiserver_stack.hosts.fleet import Fleet
from pypiserver_stack.ingress.load_balancer import LoadBalancer
from pypiserver_stack.settings.groups.monitoring import MonitoringSettings
from pypiserver_stack.settings.groups.scaling import ScalingSettings
from pypiserver_stack.storage.credentials import Credentials
from pypiserver_stack.storage.file_system import Storage
from pypiserver_stack.storage.file_system_policy import file_system_policy
from pypiserver_stack.tasks.container_definition import NAME, PACKAGES_VOLUME, PORT, Container, with_outputs
from pypiserver_stack.tasks.task_roles import execution_role, task_role
from sizing.capacity import TaskPlan


class Service(pulumi.ComponentResource):
    """Runs tasks behind the balancer: at first `plan.task_min_count`, from then on as many as scaling asks for."""

    task_definition_arn: pulumi.Output[str]
    """ARN of the running revision. Known only if that is the wanted one."""

    def __init__(
        self,
        name: str,
        settings: ScalingSettings,
        tags: Tags,
        plan: TaskPlan,
        container: Container,
        *,
        logging: MonitoringSettings,
        fleet: Fleet,
        storage: Storage,
        credentials: Credentials,
        load_balancer: LoadBalancer,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:Service", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = tags
        own_role = task_role(name, storage, parent=self, tags=tags)
        task = self._task_definition(name, logging, container, fleet, storage, credentials, own_role)
        policy = file_system_policy(name, storage, own_role.role, parent=self)
        self.service = aws.ecs.Service(
            name,
            cluster=fleet.cluster.arn,
            task_definition=task.arn,
            desired_count=plan.task_min_count,
            capacity_provider_strategies=[{"capacity_provider": fleet.capacity_provider.name, "base": 0, "weight": 1}],
            load_balancers=[
                {"target_group_arn": load_balancer.target_group.arn, "container_name": NAME, "container_port": PORT}
            ],
            health_check_grace_period_seconds=settings.health_check_grace_period_s,
            deployment_minimum_healthy_percent=settings.deployment_minimum_healthy_percent,
            deployment_maximum_percent=settings.deployment_maximum_percent,
            deployment_circuit_breaker={"enable": True, "rollback": True},
            ordered_placement_strategies=[
                {"type": "spread", "field": "attribute:ecs.availability-zone"},
                {"type": "binpack", "field": "memory"},
            ],
            # After a zone was lost and is back, its share of the tasks returns; AWS refuses it where none may be added.
            availability_zone_rebalancing="ENABLED" if settings.deployment_maximum_percent > 100 else "DISABLED",
            wait_for_steady_state=settings.wait_for_steady_state,
            force_delete=True,
            propagate_tags="SERVICE",
            tags=self._tags(name),
            opts=pulumi.ResourceOptions(
                parent=self,
                # Tasks need these to run and to stop; no argument of the service names them.
                depends_on=[*load_balancer.listeners, fleet.cluster_capacity_providers, policy, *storage.mount_targets],
                ignore_changes=["desiredCount"],  # scaling owns it
                # Hosts may have to be launched, twice over; a circuit breaker may take as long to open.
                custom_timeouts=pulumi.CustomTimeouts(create="45m", update="45m"),
            ),
        )
        self.task_definition_arn = pulumi.Output.all(self.service.task_definition, task.arn).apply(
            lambda arns: _not_rolled_back(*arns) if settings.wait_for_steady_state else arns[0]
        )
        self.register_outputs({"service_name": self.service.name})

    def _task_definition(
        self,
        name: str,
        logging: MonitoringSettings,
        container: Container,
        fleet: Fleet,
        storage: Storage,
        credentials: Credentials,
        own_role: ServiceRole,
    ) -> aws.ecs.TaskDefinition:
        self.logs = aws.cloudwatch.LogGroup(
            name,
            retention_in_days=logging.log_retention_days,
            kms_key_id=logging.log_kms_key_arn,
            tags=self._tags(name),
            opts=self._child,
        )
        injected = credentials.by_role if container.takes_credentials else {}
        execution = execution_role(
            name,
            container.definition["image"],
            log_group=self.logs,
            secret_arns=[one.secret_arn for one in injected.values()],
            secret_key_arn=credentials.key_arn,
            parent=self,
            tags=self._tags,
        )
        packages: aws.ecs.TaskDefinitionVolumeArgsDict = {
            "name": PACKAGES_VOLUME,
            "efs_volume_configuration": {
                "file_system_id": storage.file_system.id,
                "transit_encryption": "ENABLED",
                "authorization_config": {"access_point_id": storage.access_point.id, "iam": "ENABLED"},
            },
        }
        return aws.ecs.TaskDefinition(
            name,
            # Families are the account's, not the stack's: two stacks must not register revisions of the same one, and
            # Pulumi makes no name for a family. The cluster's is unique, and of letters that a family's may have.
            family=fleet.cluster.name,
            requires_compatibilities=["EC2"],
            # awsvpc would spend a network interface per task: a c6a.xlarge has three to give, the plan wants six tasks.
            network_mode="bridge",
            execution_role_arn=execution.role.arn,
            task_role_arn=own_role.role.arn,
            volumes=[packages, *container.volumes],
            container_definitions=with_outputs(
                container,
                log_group=self.logs.name,
                region=aws.get_region_output(opts=pulumi.InvokeOutputOptions(parent=self)).region,
                credentials={role: credential.value_from for role, credential in injected.items()},
            ),
            tags=self._tags(name),
            # Its tasks cannot start before their roles may do what starting takes.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*execution.policies, *own_role.policies]),
        )


def _not_rolled_back(running: str, wanted: str) -> str:
    # The provider waits for a steady state, and takes that after a rollback for one as well.
    if running != wanted:
        raise pulumi.RunError(
            f"the deployment of {wanted} was rolled back to {running}: the service's events and the log group of its "
            "tasks say why"
        )
    return running
