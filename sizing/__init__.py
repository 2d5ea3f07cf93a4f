"""Arithmetic of capacity: from settings and an instance type to tasks. No I/O but its own data, no Pulumi, no AWS."""

from sizing.capacity import TaskPlan, plan
from sizing.demand import PlanError, SizingSettings
from sizing.errors import SizingError
from sizing.instances import Instance, UnknownInstanceError, catalogue, find
from sizing.packing import DaemonTask
from sizing.profiles import PROFILES, Profile
from sizing.refusals import InstanceTooSmallError, TooFewInstancesError

__all__ = [
    "PROFILES",
    "DaemonTask",
    "Instance",
    "InstanceTooSmallError",
    "PlanError",
    "Profile",
    "SizingError",
    "SizingSettings",
    "TaskPlan",
    "TooFewInstancesError",
    "UnknownInstanceError",
    "catalogue",
    "find",
    "plan",
]
