"""Settings of the load balancer, its access logs and its web ACL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from pypiserver_stack.settings.problems import Problem
from pypiserver_stack.settings.types import Group, only

# The burst that this is built for: so many clients behind one NAT address, each with a redirect, a listing and a wheel
# a minute.
BURST_CLIENTS = 510
BURST_REQUESTS_PER_MIN = 3
RATE_WINDOW_MIN = 5


class BalancerSettings(Group):
    """Balancer."""

    stickiness_enabled: bool = False
    """Bind a client that keeps cookies to one task."""
    load_balancing_algorithm: Literal["round_robin", "least_outstanding_requests", "weighted_random"] = (
        "least_outstanding_requests"
    )
    """Choice of the task for a request."""
    # All others are behind the password.
    health_check_path: Literal["/health", "/"] = "/health"
    """Path of the balancer's health check. pypiserver's `/` walks every package; `/health` is static."""
    idle_timeout_s: Annotated[int, Field(ge=1, le=4000)] = 60
    """Seconds without a byte after which the balancer closes a connection."""
    deregistration_delay_s: Annotated[int, Field(ge=0, le=3600)] = 30
    """Seconds that a task has for the answers it owes, from when it gets no new requests to its stop."""
    slow_start_s: Annotated[int, Field(ge=0, le=900), only(lambda value: not 0 < value < 30)] = Field(
        default=0, json_schema_extra={"takes": "0, or a whole number from 30 to 900"}
    )
    """Seconds over which a new task's share of the requests grows; 0 gives it all at once."""
    desync_mitigation_mode: Literal["strictest", "defensive"] = "strictest"
    """Treatment of requests that do not comply with RFC 7230. strictest: all are refused. defensive: those that AWS
    classifies as harmless pass."""
    access_log_retention_days: Annotated[int, Field(ge=1, le=3650)] = 365
    """Days for which the balancer's access logs are kept."""
    access_log_force_destroy: bool = False
    """Whether the access logs are deleted with the stack; otherwise it cannot be destroyed."""
    waf_enabled: bool = False
    """Put an AWS WAF web ACL in front that slows down single addresses."""
    waf_rate_limit_per_5_min: Annotated[int, Field(ge=10, le=2_000_000_000)] = (
        2 * BURST_CLIENTS * BURST_REQUESTS_PER_MIN * RATE_WINDOW_MIN
    )
    """Requests in five minutes above which one address is answered 429 for a while; the default is twice what the burst
    of 510 clients sends from behind one NAT gateway."""

    def contradictions(self) -> Iterator[Problem]:
        """Combinations that AWS refuses for a target group.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
        """
        algorithm = self.load_balancing_algorithm
        if self.slow_start_s and algorithm != "round_robin":
            allowed = f"does not go with load_balancing_algorithm {algorithm}: set that to round_robin, or this to 0"
            yield self.refused("slow_start_s", allowed, "load_balancing_algorithm")
        if self.stickiness_enabled and algorithm == "weighted_random":
            allowed = f"does not go with load_balancing_algorithm {algorithm}: set another one, or this to false"
            yield self.refused("stickiness_enabled", allowed, "load_balancing_algorithm")
