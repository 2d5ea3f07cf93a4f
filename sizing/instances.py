"""EC2 instance types: what they offer to tasks, and what they cost.

The catalogue is data, in data/instances.toml, with its sources.
"""

from __future__ import annotations

import difflib
import functools
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

from sizing.errors import SizingError

Architecture = Literal["x86_64", "arm64"]

# The ECS-optimised Amazon Linux 2023 shows a little less than Bottlerocket: 15 MB on r6id.xlarge (ASFHyP3/hyp3 pull
# request 1900, AWS Batch's reserve of 32 MB added back).
AL2023_MARGIN_MB = 16

# Above every measurement in instances.toml's source but the video transcoders' (vt1), for types that are not in it.
UNSEEN_MEMORY_BASE_MB = 128
UNSEEN_MEMORY_PER_MILLE = 75

# EC2 describes that a type is burstable, not its baseline. No type has a lower one.
LOWEST_BURSTABLE_BASELINE_PERCENT = 5

_MEASURED = "estimated: what the kernel sees under Bottlerocket, measured by the Karpenter project, less 16 MB"
_NOT_MEASURED = "estimated: no measurement known; nominal memory less 128 MB and 7.5 %"


class UnknownInstanceError(SizingError):
    """The catalogue does not have the instance type. The message has the nearest names it does have."""


@dataclass(frozen=True)
class Instance:
    """One instance type. Memory is in MB of 2**20 bytes, as everywhere in ECS."""

    name: str
    vcpu_count: int
    memory_mb: int
    """Nominal memory, as advertised."""
    registered_memory_mb: int
    """Memory that the ECS agent registers when ECS_RESERVED_MEMORY is 0: what the kernel sees, less than nominal."""
    registered_memory_source: str
    """Source of that figure; begins with `estimated:` if it was not read on an instance."""
    architecture: Architecture
    burstable_baseline_percent: int | None
    """Share of each vCPU that lasts without CPU credits; None where all of it does."""
    price_usd_per_hour: float | None = None
    """Linux on demand; None where not known, and with it its region and date."""
    price_region: str | None = None
    price_date: str | None = None

    @classmethod
    def described(
        cls, name: str, *, vcpu_count: int, memory_mb: int, architecture: Architecture, burstable: bool
    ) -> Instance:
        """A type outside the catalogue, from what `ec2:DescribeInstanceTypes` says of it.

        Its registered memory is estimated low, its baseline is the lowest there is, and its price is not known.
        """
        return cls(
            name=name,
            vcpu_count=vcpu_count,
            memory_mb=memory_mb,
            registered_memory_mb=_estimated_registered_memory_mb(memory_mb),
            registered_memory_source=_NOT_MEASURED,
            architecture=architecture,
            burstable_baseline_percent=LOWEST_BURSTABLE_BASELINE_PERCENT if burstable else None,
        )


@functools.cache
def catalogue() -> Mapping[str, Instance]:
    """Every known instance type by its name, read only."""
    data = tomllib.loads(files("sizing").joinpath("data", "instances.toml").read_text("utf-8"))
    return MappingProxyType(
        {
            f"{family}.{size}": _instance(f"{family}.{size}", common["architecture"], facts, data)
            for family, common in data["families"].items()
            for size, facts in common["sizes"].items()
        }
    )


def find(name: str) -> Instance:
    """The instance type of that name.

    Raises:
        UnknownInstanceError: the catalogue does not have it.
    """
    try:
        return catalogue()[name]
    except KeyError:
        nearest = difflib.get_close_matches(name, catalogue(), n=3, cutoff=0)
        raise UnknownInstanceError(
            f"instance_type {name} is not in the catalogue: set one that is, the nearest are {', '.join(nearest)}"
        ) from None


def cheapest(architecture: Architecture, holds: Callable[[Instance], bool]) -> Instance | None:
    """The cheapest known type of an architecture of which `holds` is true, if there is one."""
    candidates = [known for known in catalogue().values() if known.architecture == architecture and holds(known)]
    return min(candidates, key=lambda known: known.price_usd_per_hour or math.inf, default=None)


def _instance(name: str, architecture: Architecture, facts: Mapping[str, Any], data: Mapping[str, Any]) -> Instance:
    memory_mb = facts["memory_mb"]
    if "registered_memory_mb" in facts:
        registered_memory_mb, source = facts["registered_memory_mb"], facts["registered_memory_source"]
    elif "unseen_memory_mb" in facts:
        registered_memory_mb, source = memory_mb - facts["unseen_memory_mb"] - AL2023_MARGIN_MB, _MEASURED
    else:
        registered_memory_mb, source = _estimated_registered_memory_mb(memory_mb), _NOT_MEASURED
    return Instance(
        name=name,
        vcpu_count=facts["vcpu_count"],
        memory_mb=memory_mb,
        registered_memory_mb=registered_memory_mb,
        registered_memory_source=source,
        architecture=architecture,
        burstable_baseline_percent=facts.get("burstable_baseline_percent"),
        price_usd_per_hour=facts["price_usd_per_hour"],
        price_region=data["price_region"],
        price_date=data["price_date"],
    )


def _estimated_registered_memory_mb(memory_mb: int) -> int:
    return max(0, memory_mb - UNSEEN_MEMORY_BASE_MB - memory_mb * UNSEEN_MEMORY_PER_MILLE // 1000)
