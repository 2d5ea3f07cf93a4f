"""The command `python -m bench policy`."""

from __future__ import annotations

import json

import click

from bench.commands.options import OVERRIDES_OPTION, STACK_HELP, examples
from pypiserver_stack.common.entry_point import show


@click.command(
    short_help="Print the IAM policies that a run on AWS needs",
    epilog=examples("policy", "policy --stack prod", "policy -c nat_gateways=none"),
)
@click.option("--stack", default="stress", metavar="NAME", help=STACK_HELP)
@OVERRIDES_OPTION
def policy(stack: str, overrides: tuple[str, ...]) -> None:
    """Print the IAM policies that a run of a stack on AWS needs, as JSON: a document for each managed policy.

    They allow standing the stack up, looking at it, taking it down and sweeping, and as little else as IAM can say.
    """
    # Imported here: the other commands need neither Pulumi nor its second of start-up.
    from bench.commands.cost.bill import evaluated
    from bench.deployment.aws.policy.documents import policies
    from bench.deployment.stack_config import PROJECT_FOLDER, load_stack

    graph = evaluated(load_stack(PROJECT_FOLDER, stack, overrides)[0]).graph
    show(json.dumps(policies(graph), indent=2) + "\n")
