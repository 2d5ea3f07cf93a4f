"""The balancer: how it picks a task, and how it knows that a task is well."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pypiserver_stack.settings.kinds import Group


class BalancerSettings(Group):
    """Balancer."""

    stickiness_enabled: bool = Field(default=False, description="Bind a client that keeps cookies to one task.")
    load_balancing_algorithm: Literal["round_robin", "least_outstanding_requests", "weighted_random"] = Field(
        default="least_outstanding_requests", description="How the balancer picks a task for a request."
    )
    health_check_path: str = Field(
        default="/health",
        pattern=r"^/[A-Za-z0-9._~/-]*$",
        description="Path of the balancer's health check. pypiserver's `/` walks every package; `/health` is static.",
    )
