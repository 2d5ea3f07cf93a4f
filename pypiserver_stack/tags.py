"""The tags that every taggable resource carries."""

from __future__ import annotations

import pulumi


def tags(name: str) -> dict[str, str]:
    """Plain arguments rather than a provider's default tags, which no test of the graph would see."""
    return {"Name": name, "service": "pypiserver", "stack": f"{pulumi.get_project()}/{pulumi.get_stack()}"}
