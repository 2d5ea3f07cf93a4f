"""What the states of AWS's resources mean for a sweep."""

from __future__ import annotations

from collections.abc import Collection

from bench.deployment.aws.sweep.resource import Presence

_LEAVING = ("deleting", "shutting-down", "draining", "delete_in_progress", "deprovisioning")


def presence_by_state(state: str, gone: Collection[str]) -> Presence:
    """The presence of what is in a state.

    Args:
        gone: states in which it no longer counts, in small letters.
    """
    lower = state.lower()
    if lower in gone:
        return Presence.GONE
    return Presence.LEAVING if lower in _LEAVING else Presence.PRESENT
