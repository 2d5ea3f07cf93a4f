"""Clients of AWS's services for a sweep, and lists that are read to their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.deployment.aws.session import AwsSession

GLOBAL_REGION = "us-east-1"
"""Region of what CloudFront needs: its certificates, its firewall and the delivery of its logs."""


class ServiceClients:
    """The session's clients, and what they list."""

    def __init__(self, session: AwsSession) -> None:
        self.region = session.region
        self._session = session

    def __call__(self, service: str, region: str = "") -> Any:
        """The client of a service; without `region` in the session's."""
        return self._session.client(service, region or None)

    @property
    def regions(self) -> tuple[str, ...]:
        """The session's region, and that of CloudFront's parts where it is another."""
        return tuple(dict.fromkeys((self.region, GLOBAL_REGION)))

    def listed(self, service: str, operation: str, key: str, region: str = "", **arguments: Any) -> Iterator[Any]:
        """The items of all pages of a list.

        Args:
            key: where in a page they are: names with dots between.
        """
        client = self(service, region)
        pages = (
            client.get_paginator(operation).paginate(**arguments)
            if client.can_paginate(operation)
            else [getattr(client, operation)(**arguments)]
        )
        for page in pages:
            for name in key.split("."):
                page = page.get(name) or {}
            yield from page
