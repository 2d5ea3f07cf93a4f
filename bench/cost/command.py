"""The command `python -m bench.cost --stack prod -c nat_gateways=none`: what a stack costs per month."""

from __future__ import annotations

import click

from bench.cost.tables import USAGE, bill, deployed, page_part
from pypiserver_stack.entry_point import show
from sizing.cost import Usage


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--stack", default="stress", show_default=True, help="Which Pulumi.<stack>.yaml to evaluate.")
@click.option("-c", "--config", "overrides", multiple=True, metavar="KEY=VALUE", help="Overrides a setting.")
@click.option(
    "--stored-gb",
    type=click.FloatRange(min=0),
    default=USAGE.stored_gb,
    show_default=True,
    help="Packages that are kept.",
)
@click.option(
    "--downloaded-gb", type=click.FloatRange(min=0), default=USAGE.downloaded_gb, show_default=True, help="In a month."
)
@click.option(
    "--uploaded-gb", type=click.FloatRange(min=0), default=USAGE.uploaded_gb, show_default=True, help="In a month."
)
@click.option(
    "--requests", "request_count", type=click.FloatRange(min=0), default=USAGE.request_count, show_default=True
)
@click.option("--page", is_flag=True, help="The tables of docs/cost.md.")
def cost(
    stack: str,
    overrides: tuple[str, ...],
    stored_gb: float,
    downloaded_gb: float,
    uploaded_gb: float,
    request_count: float,
    page: bool,
) -> None:
    """What a stack costs by the month, from the resources that the program makes. docs/cost.md is the page."""
    usage = Usage(stored_gb, downloaded_gb, uploaded_gb, request_count)
    show(page_part() if page else bill(deployed(stack, overrides), usage))
