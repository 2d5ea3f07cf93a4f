"""Fixtures of the tests of local processes: a deployment, and the mark that its processes carry."""

from __future__ import annotations

import pytest

from bench.common.run_mark import RUN_VARIABLE
from bench.deployment.engine import Deployment, StackConfig
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.local_cloud import LocalCloud
from tests.bench.deployment.local_processes.stacks import ROOT


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    values = {"pypiserver:profile": "light", "pypiserver:allow_http": "true"}
    return EmbeddedEngine(LocalCloud(), ROOT).up(StackConfig("pypiserver", "test", values))


@pytest.fixture(autouse=True)
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUN_VARIABLE, "a test")
