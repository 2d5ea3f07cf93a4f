"""The bill of a stack as a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.commands.cost.model import Bill, BillLine
from sizing.counted import counted


def bill_table(bill: Bill) -> str:
    """The fixed and the usage-based lines with their sums, and the totals, in Markdown."""
    fewest, most = bill.with_fewest_instances, bill.with_most_instances
    rows = [
        ["USD per month", "quantity", "unit", "USD each", "USD"],
        ["---"] * 5,
        *map(cells, bill.fixed),
        _sum(f"**fixed, with {counted(fewest.instance_count, 'instance')}**", f"**{usd(fewest.fixed_usd)}**"),
        _sum(f"fixed, with {counted(most.instance_count, 'instance')}", usd(most.fixed_usd)),
        *map(cells, bill.usage_based),
        _sum("**usage-based**", f"**{usd(fewest.usage_based_usd)}**"),
        _sum(f"**total, with {counted(fewest.instance_count, 'instance')}**", f"**{usd(fewest.total_usd)}**"),
        _sum(f"total, with {counted(most.instance_count, 'instance')}", usd(most.total_usd)),
    ]
    return f"{table(rows)}\nList prices of {bill.price_region}, without Container Insights; see docs/cost.md.\n"


def cells(line: BillLine) -> list[str]:
    """One line of the bill."""
    return [line.name, f"{line.quantity:,g}", line.unit, f"{line.unit_price_usd:g}", usd(line.usd)]


def table(rows: Iterable[Iterable[str]]) -> str:
    """Rows in Markdown."""
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def usd(amount: float) -> str:
    """An amount, to the cent."""
    return f"{amount:,.2f}"


def _sum(name: str, amount: str) -> Sequence[str]:
    return [name, "", "", "", amount]
