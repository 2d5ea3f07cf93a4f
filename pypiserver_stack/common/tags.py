"""Tags of every taggable resource."""

from __future__ import annotations

import pulumi

from pypiserver_stack.settings.groups.general import GeneralSettings


class Tags:
    """Called with a resource's name. Plain arguments, because no test of the graph would see a provider's own tags."""

    def __init__(self, settings: GeneralSettings) -> None:
        self._common = {
            **settings.tags,
            "service": settings.service_name,
            "environment": settings.environment,
            "stack": f"{pulumi.get_project()}/{pulumi.get_stack()}",
        }

    def __call__(self, name: str) -> dict[str, str]:
        return {"Name": name, **self._common}
