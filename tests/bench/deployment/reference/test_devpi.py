"""devpi-server beside a stack: what it serves, to whom, and that it goes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import psutil
import pytest

from bench.common.failures import UnavailableError
from bench.common.run_mark import RUN_VARIABLE
from bench.deployment import RunContext
from bench.deployment.local import LocalIndex
from bench.deployment.local_processes.reconcile import DesiredState
from bench.deployment.reference import devpi
from bench.deployment.reference.devpi import DevpiIndex
from bench.index.publish import fetch_catalogue, publish
from bench.index.target import Target
from bench.packages.factory import PackageSet, build
from tests.bench.deployment.reference.test_nginx import STATE
from tests.dead_proxy import DEAD_PROXY


def test_listings_of_devpi_are_where_it_has_them() -> None:
    target = Target("http://127.0.0.1:3141/root/packages/+simple/")
    assert target.root_url == "http://127.0.0.1:3141/root/packages/"
    assert target.simple_path == "/root/packages/+simple/"
    assert target.listing_path("a") == target.project_path("a") == "/root/packages/+simple/a/"


@dataclass
class StackBeside:
    """What `DevpiIndex` needs of the stack that it stands beside."""

    state: DesiredState = STATE
    tasks: tuple[()] = ()

    @property
    def processes(self) -> StackBeside:
        return self


@dataclass
class PartOfARun:
    """The part of a run that brings an index up."""

    scratch_folder: Path
    secrets: list[str] = field(default_factory=list)

    def step(self, name: str) -> None: ...

    def note(self, text: str) -> None: ...

    def keep_secret(self, secrets: Collection[str]) -> None:
        self.secrets += secrets


def test_an_index_is_made_filled_and_removed(
    tmp_path: Path, wheel_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(RUN_VARIABLE, "a test")
    try:
        devpi.installed()
    except UnavailableError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))
    wheels = build(PackageSet(packages=2, max_bytes=50_000), wheel_cache)
    index, run = DevpiIndex(cast(LocalIndex, StackBeside()), "stress"), PartOfARun(tmp_path)
    try:
        target = index.up(cast(RunContext, run))
        publish(target.url, target.username, target.password, wheels, index.describe().concurrent_uploads)
        listed = asyncio.run(fetch_catalogue(target, projects=2))
        assert {(file.filename, file.sha256) for file in listed} == {(w.filename, w.sha256) for w in wheels}
        with pytest.raises(UnavailableError, match=r"refused"):
            publish(target.url, target.username, "another", wheels[:1])
        assert target.password in run.secrets
        assert index.task_failures().ended == ()
        assert "2,000" in index.describe().notes[0]
    finally:
        assert index.down() == ()
    assert [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE] == []


def test_without_a_registry_it_is_said_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**DEAD_PROXY, "XDG_CACHE_HOME": str(tmp_path), "PIP_RETRIES": "0"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(
        UnavailableError, match=r"^devpi-server 6\.\S+, which --against devpi needs, cannot be installed"
    ):
        devpi.installed()
    assert not list(tmp_path.rglob("devpi.txt"))
