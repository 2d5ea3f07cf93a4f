"""Example deployment of the documentation: an index with names of its own and alarm notifications by e-mail."""

from __future__ import annotations

from collections.abc import Mapping

from bench.commands.cost.bill import evaluated
from bench.deployment.engine import Deployment, StackConfig

_SETTINGS = {"zone_id": "Z0123456789ABCDEFGHIJ", "alarm_emails": "ops@example.com"}


def example(settings: Mapping[str, str]) -> Deployment:
    """What the program makes of it with these settings."""
    values = {f"pypiserver:{key}": value for key, value in {**_SETTINGS, **settings}.items()}
    return evaluated(StackConfig("pypiserver", "prod", values))
