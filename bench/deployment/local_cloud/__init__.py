"""The local cloud: a stand-in for AWS behind either engine."""

from bench.deployment.local_cloud.cloud import LocalCloud
from bench.deployment.local_cloud.computed import ACCOUNT_ID, REGION
from bench.deployment.local_cloud.resources import InjectedFault, Record

__all__ = ["ACCOUNT_ID", "REGION", "InjectedFault", "LocalCloud", "Record"]
