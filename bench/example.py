"""The index that the documentation is about, with names of its own, of whose alarms somebody is told."""

from __future__ import annotations

from collections.abc import Mapping

from bench.engine import Deployment, StackConfig
from bench.engine.embedded import EmbeddedEngine
from bench.local_cloud.resources import LocalCloud
from bench.local_deployment import PROJECT_FOLDER

_SETTINGS = {"zone_id": "Z0123456789ABCDEFGHIJ", "alarm_emails": "ops@example.com"}


def example(settings: Mapping[str, str]) -> Deployment:
    """What the program makes of it with these settings."""
    values = {f"pypiserver:{key}": value for key, value in {**_SETTINGS, **settings}.items()}
    return evaluated(StackConfig("pypiserver", "prod", values))


def evaluated(config: StackConfig) -> Deployment:
    """What the program makes of a configuration, without AWS and without a Pulumi command.

    Raises:
        UsageError: it refuses the settings.
    """
    return EmbeddedEngine(LocalCloud(), PROJECT_FOLDER).up(config)
