"""What the tests of the local cloud share: a deployment, and the mark that its processes carry."""

from __future__ import annotations

import pytest

from bench.engine import Deployment, StackConfig
from bench.engine.embedded import EmbeddedEngine
from bench.local_cloud.resources import LocalCloud
from bench.scratch import RUN_VARIABLE
from tests.bench.local_cloud.stacks import ROOT


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    values = {"pypiserver:profile": "light", "pypiserver:allow_http": "true"}
    return EmbeddedEngine(LocalCloud(), ROOT).up(StackConfig("pypiserver", "test", values))


@pytest.fixture(autouse=True)
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUN_VARIABLE, "a test")
