"""What the program reads of the stack's configuration."""

from __future__ import annotations

import json

import pulumi
import pytest

from pypiserver_stack.settings import read_configuration
from pypiserver_stack.settings.problems import ConfigurationError


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(pulumi, "get_project", lambda: "pypiserver")
    return monkeypatch


def test_the_keys_of_the_project_are_read(configure: pytest.MonkeyPatch) -> None:
    values = {"pypiserver:profile": "heavy", "aws:region": "us-west-2", "pypi:x": "1"}
    configure.setenv("PULUMI_CONFIG", json.dumps(values))
    assert read_configuration() == {"profile": "heavy"}


@pytest.mark.parametrize("namespace", ["pypiserve", "pypi-server", "pipyserver", "PypiServer"])
def test_a_mistyped_namespace_is_refused(configure: pytest.MonkeyPatch, namespace: str) -> None:
    configure.setenv("PULUMI_CONFIG", json.dumps({f"{namespace}:profile": "heavy"}))
    with pytest.raises(ConfigurationError, match=f"^{namespace}:profile: .*did you mean pypiserver:profile"):
        read_configuration()
