"""The parameters of one load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from bench.load.thresholds import Threshold
from bench.load.workloads import Workload
from bench.packages.factory import PackageSet


@dataclass(frozen=True)
class LoadParameters:
    """The load to send, and the thresholds that it is held against."""

    workload: Workload
    packages: int
    wheel_kb: int | None
    """Size of each wheel; None: from 1 KB to 5 MB."""
    seed: int
    cookies: Literal["none", "shared"]
    generators: int
    """Number of processes that send it."""
    thresholds: tuple[Threshold, ...]
    loaders: int | str | None = None
    """Dask workers beside which the processes run: so many on this machine, or all of the scheduler at this address.
    None: the benchmark starts the processes itself."""

    @property
    def package_set(self) -> PackageSet:
        """The packages that the index is filled with."""
        return PackageSet(packages=self.packages, seed=self.seed, **self._sizes)

    def upload_set(self, wheels: int) -> PackageSet:
        """As many new wheels, for the clients to upload."""
        return PackageSet(
            packages=wheels, versions=("1.0.0",), seed=self.seed, name_prefix="test-upload", **self._sizes
        )

    @property
    def _sizes(self) -> dict[str, Any]:
        return {} if self.wheel_kb is None else {"min_bytes": self.wheel_kb * 1024, "max_bytes": self.wheel_kb * 1024}

    def as_dict(self) -> dict[str, Any]:
        """The values that shape the load beside the number of clients and packages, for the report."""
        shape = self.workload.shape
        by_dask = {} if self.loaders is None else {"loaders": "local" if isinstance(self.loaders, int) else "remote"}
        return {
            "duration_s": shape.duration_s,
            "burst_interval_s": shape.burst_interval_s,
            "burst_multiplier": shape.burst_multiplier,
            "requests_per_min": shape.requests_per_min,
            "wheel_kb": self.wheel_kb,
            "cookies": self.cookies,
            "generators": self.generators,
            **by_dask,
        }
