"""Metrics that AWS publishes about a deployment, with their names and dimensions.

One place for alarms and dashboard alike: CloudWatch refuses no metric that does not exist, it only never has data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True)
class Metric:
    """One metric. Its dimensions are all that it was published with, or there is no such metric."""

    namespace: str
    name: str
    dimensions: Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True)
class Metrics:
    """Values of the dimensions of a deployment's metrics."""

    cluster_name: pulumi.Input[str]
    service_name: pulumi.Input[str]
    load_balancer: pulumi.Input[str]
    """Suffix of its ARN: `app/NAME/ID`."""
    target_group: pulumi.Input[str]
    """Suffix of its ARN: `targetgroup/NAME/ID`."""
    file_system_id: pulumi.Input[str]
    asg_name: pulumi.Input[str]

    def service(self, name: str) -> Metric:
        """Metric of the service, in percent of what its tasks reserve. Minimum and Maximum are single tasks."""
        return Metric("AWS/ECS", name, self._service)

    def insights(self, name: str) -> Metric:
        """Metric of the service, from Container Insights."""
        return Metric("ECS/ContainerInsights", name, self._service)

    def balancer(self, name: str) -> Metric:
        return Metric("AWS/ApplicationELB", name, {"LoadBalancer": self.load_balancer})

    def targets(self, name: str) -> Metric:
        """Metric of the tasks, as the balancer sees them."""
        dimensions = {"LoadBalancer": self.load_balancer, "TargetGroup": self.target_group}
        return Metric("AWS/ApplicationELB", name, dimensions)

    def file_system(self, name: str) -> Metric:
        return Metric("AWS/EFS", name, {"FileSystemId": self.file_system_id})

    def hosts(self, name: str) -> Metric:
        """Metric of the instances, from the CloudWatch agent on them."""
        return Metric("CWAgent", name, {"AutoScalingGroupName": self.asg_name})

    def instances(self, name: str) -> Metric:
        """Metric of the instances, from EC2."""
        return Metric("AWS/EC2", name, {"AutoScalingGroupName": self.asg_name})

    @property
    def _service(self) -> dict[str, pulumi.Input[str]]:
        return {"ClusterName": self.cluster_name, "ServiceName": self.service_name}


def certificate(arn: pulumi.Input[str]) -> Metric:
    """Days until a certificate of ACM expires: published twice a day, and no longer once it has."""
    return Metric("AWS/CertificateManager", "DaysToExpiry", {"CertificateArn": arn})
