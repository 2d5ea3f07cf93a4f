"""Settings for tests: of a deployment that says of itself that it needs neither name nor certificate."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pypiserver_stack.settings import Settings, read_settings


def plain_settings(config: Mapping[str, Any] = MappingProxyType({})) -> Settings:
    """What `config` asks for, over plain HTTP.

    Raises:
        SettingsError: with every mistake in `config`.
    """
    return read_settings({"allow_http": "true", **config})
