"""All settings in one model.

`None` is the value of a setting that is computed, and of one that there is none of.
"""

from __future__ import annotations

from pypiserver_stack.settings.groups.backup import BackupSettings
from pypiserver_stack.settings.groups.balancer import BalancerSettings
from pypiserver_stack.settings.groups.capacity import CapacitySettings
from pypiserver_stack.settings.groups.cloudfront import CloudFrontSettings
from pypiserver_stack.settings.groups.credentials import CredentialSettings
from pypiserver_stack.settings.groups.general import GeneralSettings
from pypiserver_stack.settings.groups.hosts import HostSettings
from pypiserver_stack.settings.groups.monitoring import MonitoringSettings
from pypiserver_stack.settings.groups.names import NamesSettings
from pypiserver_stack.settings.groups.network import NetworkSettings
from pypiserver_stack.settings.groups.scaling import ScalingSettings
from pypiserver_stack.settings.groups.server import ServerSettings
from pypiserver_stack.settings.groups.storage import StorageSettings
from pypiserver_stack.settings.types import Group


class Settings(
    GeneralSettings,
    CapacitySettings,
    ServerSettings,
    NetworkSettings,
    BalancerSettings,
    NamesSettings,
    CloudFrontSettings,
    HostSettings,
    StorageSettings,
    BackupSettings,
    CredentialSettings,
    ScalingSettings,
    MonitoringSettings,
):
    """Settings of a deployment."""


GROUPS: tuple[type[Group], ...] = Settings.__bases__
"""In the order of the documentation."""
