"""Named sets of settings. A profile only supplies values: any setting given besides it overrides it.

light, medium and heavy are the three workloads of the sizing guide in the plan this project started from; they were
never load-tested there. tested is the deployment that was, and incident the one that broke in production.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Profile:
    """A deployment size: settings by name. What is absent is computed, or has its default."""

    name: str
    summary: str
    values: Mapping[str, str | int]


def _profile(name: str, summary: str, **values: str | int) -> Profile:
    return Profile(name, summary, MappingProxyType(values))


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            # Sizing guide, "Light Workload".
            _profile(
                "light",
                "Fewer than 50 packages and 5 users, under 10 requests a minute.",
                instance_type="t3.micro",
                instance_min_count=1,
                container_memory_mb=256,
                task_min_count=1,
                task_max_count=2,
            ),
            # Sizing guide, "Medium Workload".
            _profile(
                "medium",
                "50 to 200 packages, several CI pipelines, bursts of 200 requests a minute.",
                instance_type="t3.small",
                instance_min_count=2,
                container_memory_mb=512,
                task_min_count=2,
                task_max_count=6,
            ),
            # Sizing guide, "Heavy Workload".
            _profile(
                "heavy",
                "More than 200 packages, many parallel CI jobs, bursts of 500 requests a minute.",
                instance_type="t3.medium",
                instance_min_count=3,
                container_memory_mb=1024,
                task_min_count=3,
                task_max_count=10,
            ),
            # The final configuration of the plan's test environment; tasks follow from the instances.
            _profile(
                "tested",
                "The plan's load-tested baseline: 510 clients at once on two c6a.xlarge.",
                instance_type="c6a.xlarge",
                instance_min_count=2,
                instance_max_count=4,
                container_memory_mb=512,
            ),
            # The production incident of 2025-12-27: 916 MB seen by the host, containers of 128 MB.
            _profile(
                "incident",
                "What ran when CI bursts broke production. For reproduction, not for use.",
                instance_type="t3.micro",
                instance_min_count=1,
                container_memory_mb=128,
            ),
        )
    }
)
