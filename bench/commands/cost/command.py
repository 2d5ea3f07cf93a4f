"""The command `python -m bench cost`: what a stack costs per month."""

from __future__ import annotations

from typing import Literal

import click

from bench.commands.options import OVERRIDES_OPTION, STACK_HELP, examples, with_options
from bench.common.ranges import Number
from pypiserver_stack.common.entry_point import show
from sizing.cost import Usage


def _usage(spelling: str, name: str, help: str) -> click.Option:
    """A quantity that the usage-based part is computed for."""
    default = getattr(Usage, name)
    return click.Option([spelling, name], type=Number(0, 10**12), default=default, help=help)


@with_options(
    _usage("--stored-gb", "stored_gb", "Size of the stored packages in GB"),
    _usage("--downloaded-gb", "downloaded_gb", "Volume of downloads per month in GB"),
    _usage("--uploaded-gb", "uploaded_gb", "Volume of uploads per month in GB"),
    _usage("--requests", "request_count", "Number of requests per month"),
)
@click.command(
    short_help="Estimate what a stack costs per month",
    epilog=examples(
        "cost --stack prod",
        "cost --stack prod -c profile=heavy -c nat_gateways=one_per_zone",
        "cost --stored-gb 200 --downloaded-gb 3000 --requests 2e7",
        "cost --stack prod --format json",
    ),
)
@click.option("--stack", default="stress", metavar="NAME", help=STACK_HELP)
@OVERRIDES_OPTION
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    help="Format of the output; the fields of json are those of docs/cost.md",
)
def cost(stack: str, overrides: tuple[str, ...], format_: Literal["table", "json"], **usage: float) -> None:
    """Estimate what a stack costs per month, from its resources and list prices, without AWS."""
    # Imported here: the other commands need neither Pulumi nor its second of start-up.
    from bench.commands.cost.bill import estimate
    from bench.commands.cost.blocks import bill_blocks
    from bench.report.formats.json import json_text
    from bench.report.formats.markdown import markdown_text

    bill = estimate(stack, overrides, Usage(**usage))
    show(json_text(bill) if format_ == "json" else markdown_text(bill_blocks(bill)))
