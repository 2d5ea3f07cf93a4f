"""The options that the commands for AWS share."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click

from bench.common.ranges import Number

_UNITS_S = {"m": 60, "h": 3600, "d": 86_400}
_SHORTEST, _LONGEST = timedelta(minutes=30), timedelta(days=7)


class Duration(click.ParamType[timedelta]):
    """A time such as 90m, 4h or 2d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"(\d{1,5})([mhd])", str(value))
        length = timedelta(seconds=int(match[1]) * _UNITS_S[match[2]]) if match else timedelta()
        if not _SHORTEST <= length <= _LONGEST:
            self.fail(f"{value!r} is not a time from 30m to 7d, such as 90m, 4h or 2d", param, ctx)
        return length


EXPIRES = click.Option(
    ["--expires", "expires_after"],
    type=Duration(),
    default="4h",
    metavar="TIME",
    help="Time from now on after which `sweep` takes the stack for abandoned",
)
MAX_COST = click.Option(
    ["--max-cost", "max_cost_usd"],
    type=Number(0, 10_000),
    default=5.0,
    metavar="USD",
    help="Ceiling of the estimated cost until the stack expires; a dearer run is refused",
)
YES = click.Option(["--yes"], is_flag=True, help="Do not ask for confirmation")
CLIENT_CIDR = click.Option(
    ["--client-cidr"],
    metavar="RANGE",
    show_default="this machine's public address",
    help="Addresses that the balancer admits",
)
PRIVATE = click.Option(
    ["--private", "is_private"],
    is_flag=True,
    help="The load generator is inside the VPC or its region: leave the balancer as the stack file has it",
)
ASSUME_ROLE = click.Option(
    ["--assume-role", "assumed_role_arn"], metavar="ARN", help="Role to assume for every call to AWS"
)
BACKEND = click.Option(
    ["--backend"],
    metavar="URL",
    show_default="files in the user's state folder",
    help="Pulumi backend for the state: s3://BUCKET, or https://api.pulumi.com with PULUMI_ACCESS_TOKEN",
)
AWS_OPTIONS = (EXPIRES, MAX_COST, YES, CLIENT_CIDR, PRIVATE, ASSUME_ROLE, BACKEND)
"""Options of the commands that make a stack on AWS."""
