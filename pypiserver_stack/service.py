"""The ECS service: its task definition, its roles and how its tasks are replaced."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from pypiserver_stack.container_definition import NAME, PACKAGES_VOLUME, PORT, Container, with_outputs
from pypiserver_stack.credentials import Credentials
from pypiserver_stack.fleet import Fleet
from pypiserver_stack.load_balancer import LoadBalancer
from pypiserver_stack.policies import ServiceRole
from pypiserver_stack.settings import Settings
from pypiserver_stack.storage import Storage
from pypiserver_stack.tags import Tags
from sizing.capacity import TaskPlan

LOG_RETENTION_DAYS = 365


class Service(pulumi.ComponentResource):
    """Runs tasks behind the balancer: at first `plan.task_min_count`, from then on as many as scaling asks for."""

    task_definition_arn: pulumi.Output[str]
    """Of the revision that runs. Known only where that is the one that was asked for."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        plan: TaskPlan,
        container: Container,
        *,
        fleet: Fleet,
        storage: Storage,
        credentials: Credentials,
        load_balancer: LoadBalancer,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:Service", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = Tags(settings)
        task = self._task_definition(name, settings, container, storage, credentials)
        self.service = aws.ecs.Service(
            name,
            cluster=fleet.cluster.arn,
            task_definition=task.arn,
            desired_count=plan.task_min_count,
            capacity_provider_strategies=[
                aws.ecs.ServiceCapacityProviderStrategyArgs(
                    capacity_provider=fleet.capacity_provider.name, base=0, weight=1
                )
            ],
            load_balancers=[
                aws.ecs.ServiceLoadBalancerArgs(
                    target_group_arn=load_balancer.target_group.arn, container_name=NAME, container_port=PORT
                )
            ],
            health_check_grace_period_seconds=settings.health_check_grace_period_s,
            deployment_minimum_healthy_percent=settings.deployment_minimum_healthy_percent,
            deployment_maximum_percent=settings.deployment_maximum_percent,
            deployment_circuit_breaker=aws.ecs.ServiceDeploymentCircuitBreakerArgs(enable=True, rollback=True),
            ordered_placement_strategies=[
                aws.ecs.ServiceOrderedPlacementStrategyArgs(type="spread", field="attribute:ecs.availability-zone"),
                aws.ecs.ServiceOrderedPlacementStrategyArgs(type="binpack", field="memory"),
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
                depends_on=[load_balancer.listener, fleet.cluster_capacity_providers, *storage.mount_targets],
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
        self, name: str, settings: Settings, container: Container, storage: Storage, credentials: Credentials
    ) -> aws.ecs.TaskDefinition:
        injected = settings.authentication == "sha256"
        execution = ServiceRole(
            f"{name}-execution",
            "ecs-tasks.amazonaws.com",
            ["service-role/AmazonECSTaskExecutionRolePolicy"],
            self,
            self._tags,
        )
        if injected:
            execution.allow(
                f"{name}-read-credentials",
                {"Action": "secretsmanager:GetSecretValue", "Resource": credentials.secret.arn},
            )
            if settings.secret_kms_key_arn is not None:
                execution.allow(
                    f"{name}-decrypt-credentials",
                    {
                        "Action": "kms:Decrypt",
                        "Resource": settings.secret_kms_key_arn,
                        # Secrets Manager encrypts with the secret's ARN as context: the key opens nothing else.
                        "Condition": {"StringEquals": {"kms:EncryptionContext:SecretARN": credentials.secret.arn}},
                    },
                )
        task_role = ServiceRole(f"{name}-task", "ecs-tasks.amazonaws.com", [], self, self._tags)
        task_role.allow(
            f"{name}-mount-packages",
            {
                "Action": ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
                "Resource": storage.file_system.arn,
                "Condition": {"StringEquals": {"elasticfilesystem:AccessPointArn": storage.access_point.arn}},
            },
        )
        logs = aws.cloudwatch.LogGroup(
            name, retention_in_days=LOG_RETENTION_DAYS, tags=self._tags(name), opts=self._child
        )
        packages = aws.ecs.TaskDefinitionVolumeArgs(
            name=PACKAGES_VOLUME,
            efs_volume_configuration=aws.ecs.TaskDefinitionVolumeEfsVolumeConfigurationArgs(
                file_system_id=storage.file_system.id,
                transit_encryption="ENABLED",
                authorization_config=aws.ecs.TaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfigArgs(
                    access_point_id=storage.access_point.id, iam="ENABLED"
                ),
            ),
        )
        return aws.ecs.TaskDefinition(
            name,
            # Families are the account's, not the stack's: two stacks must not register revisions of the same one.
            family=f"{name}-{pulumi.get_stack()}",
            requires_compatibilities=["EC2"],
            # awsvpc would spend a network interface per task: a c6a.xlarge has three to give, the plan wants six tasks.
            network_mode="bridge",
            execution_role_arn=execution.role.arn,
            task_role_arn=task_role.role.arn,
            volumes=[
                packages,
                *(
                    aws.ecs.TaskDefinitionVolumeArgs(name=file.volume, host_path=file.host_path)
                    for file in container.host_files
                ),
            ],
            container_definitions=with_outputs(
                container,
                log_group=logs.name,
                region=aws.get_region_output(opts=pulumi.InvokeOutputOptions(parent=self)).region,
                credentials=credentials.value_from if injected else None,
            ),
            tags=self._tags(name),
            # Its tasks cannot start before their roles may do what starting takes.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*execution.policies, *task_role.policies]),
        )


def _not_rolled_back(running: str, wanted: str) -> str:
    # The provider waits for a steady state, and takes that after a rollback for one as well.
    if running != wanted:
        raise pulumi.RunError(
            f"the deployment of {wanted} was rolled back to {running}: the service's events and the log group of its "
            "tasks say why"
        )
    return running
