"""Scaling activities of the Auto Scaling group: launches of instances that failed, and which of them stay so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.deployment.aws.observe.handles import StackHandles
from bench.deployment.aws.session import AwsSession

# EC2's messages about what somebody must change first: a quota, a permission, the key of an encrypted disk. The group
# tries all others again, and capacity of a zone for one comes back.
_LASTING = ("vCPU limit", "not authorized to perform", "Client.InternalError")


@dataclass(frozen=True)
class ScalingActivity:
    """One activity of the group."""

    status: str
    description: str
    message: str
    """What went wrong; empty where nothing did."""


def scaling_activities(session: AwsSession, handles: StackHandles, since_unix_s: float) -> list[ScalingActivity]:
    """The activities that began since then, newest first."""
    pages = session.client("autoscaling").get_paginator("describe_scaling_activities")
    return [
        ScalingActivity(one["StatusCode"], one.get("Description", ""), one.get("StatusMessage", ""))
        for page in pages.paginate(AutoScalingGroupName=handles.auto_scaling_group)
        for one in page["Activities"]
        if one["StartTime"].timestamp() >= since_unix_s
    ]


def failed_launches(activities: Sequence[ScalingActivity]) -> list[ScalingActivity]:
    """Those that ended without an instance."""
    return [one for one in activities if one.status in ("Failed", "Cancelled") and one.message]


def lasting_failure(activities: Sequence[ScalingActivity]) -> str:
    """The message of a launch that fails until somebody changes something; empty where there is none."""
    return next((one.message for one in failed_launches(activities) if any(of in one.message for of in _LASTING)), "")
