"""Scaling of the number of tasks."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from pypiserver_stack.common.tags import Tags
from pypiserver_stack.hosts.fleet import Fleet
from pypiserver_stack.ingress.load_balancer import LoadBalancer
from pypiserver_stack.settings.groups.scaling import ScalingSettings
from pypiserver_stack.tasks.service import Service
from sizing.capacity import TaskPlan


class Scaling(pulumi.ComponentResource):
    """Moves the service's desired count between `plan.task_min_count` and `plan.task_max_count`.

    With several targets the one that asks for the most tasks decides.
    """

    def __init__(
        self,
        name: str,
        settings: ScalingSettings,
        tags: Tags,
        plan: TaskPlan,
        *,
        fleet: Fleet,
        service: Service,
        load_balancer: LoadBalancer,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("pypiserver:index:Scaling", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._settings = settings
        self._target = target = aws.appautoscaling.Target(
            name,
            service_namespace="ecs",
            scalable_dimension="ecs:service:DesiredCount",
            resource_id=pulumi.Output.concat("service/", fleet.cluster.name, "/", service.service.name),
            min_capacity=plan.task_min_count,
            max_capacity=plan.task_max_count,
            tags=tags(name),
            opts=self._child,
        )
        self._last: pulumi.Resource = target
        self._track(f"{name}-cpu", settings.scaling_cpu_percent, "ECSServiceAverageCPUUtilization")
        if settings.scaling_memory_percent is not None:
            self._track(f"{name}-memory", settings.scaling_memory_percent, "ECSServiceAverageMemoryUtilization")
        if settings.scaling_requests_per_task_per_min is not None:
            self._track(
                f"{name}-requests",
                settings.scaling_requests_per_task_per_min,
                "ALBRequestCountPerTarget",
                label=pulumi.Output.concat(
                    load_balancer.balancer.arn_suffix, "/", load_balancer.target_group.arn_suffix
                ),
                # AWS refuses the label of a target group that no listener forwards to.
                depends_on=load_balancer.listeners,
            )
        for action in settings.scheduled_scaling:
            self._last = aws.appautoscaling.ScheduledAction(
                f"{name}-{action.name}",
                service_namespace=target.service_namespace,
                scalable_dimension=target.scalable_dimension,
                resource_id=target.resource_id,
                schedule=action.schedule,
                timezone=action.timezone,
                scalable_target_action={"min_capacity": action.task_min_count, "max_capacity": action.task_max_count},
                opts=self._after_the_last(),
            )
        self.register_outputs({})

    def _track(
        self,
        name: str,
        value: float,
        metric: str,
        *,
        label: pulumi.Input[str] | None = None,
        depends_on: Sequence[pulumi.Resource] = (),
    ) -> None:
        self._last = aws.appautoscaling.Policy(
            name,
            policy_type="TargetTrackingScaling",
            service_namespace=self._target.service_namespace,
            scalable_dimension=self._target.scalable_dimension,
            resource_id=self._target.resource_id,
            target_tracking_scaling_policy_configuration={
                "target_value": value,
                "predefined_metric_specification": {"predefined_metric_type": metric, "resource_label": label},
                "scale_out_cooldown": self._settings.scale_out_cooldown_s,
                "scale_in_cooldown": self._settings.scale_in_cooldown_s,
            },
            opts=self._after_the_last(depends_on),
        )

    def _after_the_last(self, others: Sequence[pulumi.Resource] = ()) -> pulumi.ResourceOptions:
        # One at a time: AWS answers what changes the same target meanwhile with a ConcurrentUpdateException.
        return pulumi.ResourceOptions(parent=self, depends_on=[self._last, *others])
