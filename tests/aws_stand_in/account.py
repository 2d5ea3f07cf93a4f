"""What an account in use has besides resources: quotas, and the roles that services made for themselves."""

from __future__ import annotations

import json
from typing import Any

import boto3
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.exceptions import JsonRESTError
from moto.servicequotas.responses import ServiceQuotasResponse
from moto.ssm.responses import SimpleSystemManagerResponse

QUOTAS = {"L-1216C47A": 64.0, "L-0263D0A3": 5.0}
"""By number: vCPUs of on-demand instances and elastic IP addresses, as an account begins or soon has them."""
# moto has its own idea of the names of service-linked roles.
ROLES = (
    "AWSServiceRoleForECS",
    "AWSServiceRoleForAutoScaling",
    "AWSServiceRoleForElasticLoadBalancing",
    "AWSServiceRoleForApplicationAutoScaling_ECSService",
)


def make_account() -> None:
    """Have moto answer for quotas that it lacks, and make the service-linked roles."""
    ServiceQuotasResponse.get_aws_default_service_quota = _get_aws_default_service_quota  # type: ignore[attr-defined]
    iam = boto3.client("iam")
    for role in ROLES:
        iam.create_role(RoleName=role, Path="/aws-service-role/", AssumeRolePolicyDocument="{}")


def deny_metrics() -> None:
    """Have the account refuse what moto cannot answer: metrics take minutes, or an error, to be found missing."""
    CloudWatchResponse.get_metric_data = _denied  # type: ignore[method-assign]
    SimpleSystemManagerResponse.describe_instance_information = _denied  # type: ignore[attr-defined]


def _denied(self: Any) -> Any:
    raise JsonRESTError("AccessDeniedException", "you are not authorized to perform this")


def _get_aws_default_service_quota(self: Any) -> str:
    code = str(json.loads(self.body).get("QuotaCode"))
    return json.dumps({"Quota": {"QuotaCode": code, "Value": QUOTAS[code]}})
