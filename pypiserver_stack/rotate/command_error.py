"""Error messages of the Pulumi CLI."""

from __future__ import annotations

from pulumi.automation import CommandError


def first_error(error: CommandError) -> str:
    """The first error message of the CLI that says more than that there were errors."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    messages = [line.partition("error: ")[2] for line in lines if "error: " in line]
    return next((message for message in messages if message != "update failed"), lines[-1])
