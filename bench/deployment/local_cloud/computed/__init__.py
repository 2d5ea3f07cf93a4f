"""What AWS would compute: ids, ARNs, DNS names and the answers to provider functions.

Each type is in the file of its service, as its name has it: `aws:efs/fileSystem:FileSystem` in `efs.py`. That entry is
all that a new type needs here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud.computed import (
    acm,
    appautoscaling,
    autoscaling,
    backup,
    cloudfront,
    cloudwatch,
    ec2,
    ecs,
    efs,
    iam,
    kms,
    lb,
    random,
    route53,
    s3,
    secretsmanager,
    sns,
    vpc,
    wafv2,
)
from bench.deployment.local_cloud.computed.functions import answer
from bench.deployment.local_cloud.computed.origin import Compute, Computed, Inputs, Origin

__all__ = ["RESOURCES", "Computed", "Inputs", "Origin", "answer", "computed_outputs", "home"]

RESOURCES: Mapping[str, Compute] = {
    **acm.RESOURCES,
    **appautoscaling.RESOURCES,
    **autoscaling.RESOURCES,
    **backup.RESOURCES,
    **cloudfront.RESOURCES,
    **cloudwatch.RESOURCES,
    **ec2.RESOURCES,
    **ecs.RESOURCES,
    **efs.RESOURCES,
    **iam.RESOURCES,
    **kms.RESOURCES,
    **lb.RESOURCES,
    **random.RESOURCES,
    **route53.RESOURCES,
    **s3.RESOURCES,
    **secretsmanager.RESOURCES,
    **sns.RESOURCES,
    **vpc.RESOURCES,
    **wafv2.RESOURCES,
}


def computed_outputs(type_: str, origin: Origin, inputs: Inputs) -> tuple[str, Computed]:
    """The id and the computed outputs of a resource of this type.

    Raises:
        CloudError: nobody has written down what AWS computes for this type.
    """
    compute = RESOURCES.get(type_)
    if compute is None:
        raise CloudError(
            f"the local cloud does not know the resource type {type_}: "
            f"add it to bench/deployment/local_cloud/computed/{home(type_)}.py"
        )
    # A resource may be kept in another region than the stack's own.
    return compute(replace(origin, region=inputs.get("region", origin.region)), inputs)


def home(type_: str) -> str:
    """The name of the file that a type belongs in: its service's, or that of a provider that has no services."""
    package, module, _ = type_.split(":")
    service = module.split("/")[0]
    return package if service == "index" else service
