"""Fixtures of the tests of local processes: a deployment, and the mark that its processes carry."""

from __future__ import annotations

import pytest

from bench.common.run_mark import RUN_VARIABLE
from bench.deployment.engine import Deployment, StackConfig
from tests.evaluation_cache import deployment_of


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    values = {"pypiserver:profile": "light", "pypiserver:allow_http": "true"}
    return deployment_of(StackConfig("pypiserver", "test", values))


@pytest.fixture(autouse=True)
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUN_VARIABLE, "a test")
