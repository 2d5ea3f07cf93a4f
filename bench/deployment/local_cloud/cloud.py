"""LocalCloud: a stand-in for AWS on this machine, behind either engine.

It proves the program, the order, the teardown and the errors, not that AWS accepts an input.
"""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

from bench.deployment.engine.cloud import CloudError
from bench.deployment.local_cloud.mocks import CloudMonitor
from bench.deployment.local_cloud.provider import serve
from bench.deployment.local_cloud.pulumi_cloud import PulumiCloud
from bench.deployment.local_cloud.resources import ResourceStore


class LocalCloud(ResourceStore):
    """An `InProcessCloud`: resources, and what answers an engine for them. One per run."""

    # It answers at once, except for injected faults; the CLI deletes 60 resources in 4 s.
    interrupt_patience_s = 20.0
    destroy_timeout_s = 300.0

    def providers(self) -> AbstractContextManager[PulumiCloud]:
        return serve(PulumiCloud(self))

    def monitor(self, project: str, stack: str) -> CloudMonitor:
        return CloudMonitor(PulumiCloud(self), project, stack)

    def delete_all(self) -> None:
        # A resource was created after those that it depends on.
        for urn in reversed(list(self.records)):
            with contextlib.suppress(CloudError):
                self.delete(urn)
