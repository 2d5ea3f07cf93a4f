"""Layout of a bill."""

from __future__ import annotations

from bench.commands.cost.model import Bill, BillLine
from bench.report.blocks import Blocks, Cell, Note, Table, Text
from sizing.counted import counted


def bill_blocks(bill: Bill) -> Blocks:
    """The fixed and the usage-based lines with their sums, and the totals."""
    fewest, most = bill.with_fewest_instances, bill.with_most_instances
    with_fewest, with_most = (f"with {counted(totals.instance_count, 'instance')}" for totals in (fewest, most))
    table = Table(
        columns=("USD per month", "quantity", "unit", "USD each", "USD"),
        left=(0, 2),
        rows=[
            *map(line_cells, bill.fixed),
            _sum(f"fixed, {with_fewest}", fewest.fixed_usd),
            _aside(f"fixed, {with_most}", most.fixed_usd),
            *map(line_cells, bill.usage_based),
            _sum("usage-based", fewest.usage_based_usd),
            _sum(f"total, {with_fewest}", fewest.total_usd),
            _aside(f"total, {with_most}", most.total_usd),
        ],
    )
    origin = (
        f"Stack {bill.stack}, profile {bill.profile}. List prices of {bill.price_region}, without Container Insights; "
        "see docs/cost.md."
    )
    return [table, Note(lines=[origin])]


def line_cells(line: BillLine) -> tuple[str, ...]:
    return (line.name, f"{line.quantity:,g}", line.unit, f"{line.unit_price_usd:g}", usd(line.usd))


def usd(amount: float) -> str:
    """An amount, to the cent."""
    return f"{amount:,.2f}"


def _sum(name: str, amount_usd: float) -> tuple[Text, ...]:
    return (Cell(name, "strong"), "", "", "", Cell(usd(amount_usd), "strong"))


def _aside(name: str, amount_usd: float) -> tuple[Text, ...]:
    return (name, "", "", "", usd(amount_usd))
