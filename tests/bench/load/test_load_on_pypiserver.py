"""Whole loads, sent by two processes, on the real pypiserver."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Protocol

import numpy as np
import uvloop

from bench.index.target import Target
from bench.load.clients import LoadSpec
from bench.load.generators.processes import Processes
from bench.load.samples import Operation
from bench.load.sending import Load, LoadResult
from bench.load.workloads import WORKLOADS, Workload, with_options
from bench.report import figures
from tests.bench.scripted_index import REDIRECTED, rows


class RealServer(Protocol):
    url: str
    username: str
    password: str
    packages: Path


def make_wheel(folder: Path, name: str, version: str, size_bytes: int = 2000) -> Path:
    module = name.replace("-", "_")
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{module}/__init__.py", np.random.default_rng(len(name)).bytes(size_bytes))
        wheel.writestr(f"{module}-{version}.dist-info/METADATA", f"Name: {name}\nVersion: {version}\n")
    return path


def load(
    server: RealServer,
    workload: Workload,
    packages: tuple[str, ...] = ("alpha",),
    uploads: tuple[Path, ...] = (),
    password: str = "",
) -> LoadResult:
    target = Target(server.url, server.username, password or server.password)
    spill_dir = server.packages.parent
    sent = Load(
        LoadSpec(target, workload, packages, uploads, seed=1, cookies="none", spill_dir=spill_dir), Processes(2)
    )
    uvloop.run(sent.run())
    return sent.result()


def test_a_burst_on_pypiserver_takes_the_newest_wheel_of_each(pypi_server: RealServer) -> None:
    packages = ("alpha", "beta-gamma")
    for package in packages:
        for version, size_bytes in (("1.0.0", 1000), ("1.10.0", 3000), ("1.9.0", 2000)):
            make_wheel(pypi_server.packages, package, version, size_bytes)
    result = load(pypi_server, with_options(WORKLOADS["burst"], clients=20), packages)

    samples = result.samples
    assert not samples.failed.any()
    assert np.bincount(samples.operation).tolist() == [20, 20, 20]
    assert figures.summary(samples).peak_in_flight == 20
    newest = {path.stat().st_size for path in pypi_server.packages.glob("*-1.10.0-*.whl")}
    assert set(samples.received_bytes[samples.operation == Operation.DOWNLOAD].tolist()) == newest


def test_uploads_to_pypiserver_arrive_byte_for_byte(pypi_server: RealServer, tmp_path: Path) -> None:
    wheels = tuple(make_wheel(tmp_path, f"new-{number}", "1.0.0", 200_000) for number in range(12))
    workload = with_options(WORKLOADS["uploads"], clients=12)
    result = load(pypi_server, workload, uploads=wheels)

    assert rows(result) == [("upload", 200, "NONE")] * 12
    assert {path.name: path.read_bytes() for path in pypi_server.packages.iterdir()} == {
        path.name: path.read_bytes() for path in wheels
    }
    again = load(pypi_server, workload, uploads=wheels)
    assert {status for _, status, _ in rows(again)} == {400}, "what pypiserver answers twine for a file that it has"


def test_a_replay_against_pypiserver_makes_every_recorded_request(pypi_server: RealServer) -> None:
    make_wheel(pypi_server.packages, "alpha", "1.0.0")
    result = load(pypi_server, with_options(WORKLOADS["incident_replay"], speed=1200))
    assert len(result.samples) == 1494
    assert not result.samples.failed.any()


def test_pypiserver_refuses_a_wrong_password(pypi_server: RealServer) -> None:
    make_wheel(pypi_server.packages, "alpha", "1.0.0")
    result = load(pypi_server, with_options(WORKLOADS["burst"], clients=3), password="wrong")
    assert sorted(rows(result)) == [("listing", 403, "STATUS")] * 3 + [REDIRECTED] * 3
