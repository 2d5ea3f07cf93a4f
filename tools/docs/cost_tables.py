"""The tables of docs/cost.md: profiles, choices, usage and prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bench.commands.cost.bill import bill_of, fixed_lines
from bench.commands.cost.blocks import line_cells, usd
from bench.commands.cost.model import Bill
from sizing.cost import Usage, prices, total_usd
from sizing.profiles import PROFILES
from tools.docs.example import example

CHOICES: Mapping[str, Mapping[str, str]] = {
    "`nat_gateways: one_per_zone`": {"nat_gateways": "one_per_zone"},
    "`nat_gateways: none`": {
        "nat_gateways": "none",
        "image": "123456789012.dkr.ecr.us-west-2.amazonaws.com/pypiserver:v2.4.2",
    },
    "`availability_zone_count: 3`": {"availability_zone_count": "3"},
    "your own subnets": {
        "instance_subnet_ids": "subnet-0123456789abcde00,subnet-0123456789abcde01",
        "balancer_subnet_ids": "subnet-0123456789abcde30,subnet-0123456789abcde31",
    },
    "`balancer_scheme: internal`": {"balancer_scheme": "internal"},
    "`waf_enabled: true`": {"waf_enabled": "true"},
    "`detailed_monitoring_enabled: true`": {"detailed_monitoring_enabled": "true"},
    "`cloudfront_enabled: true`, without usage": {"cloudfront_enabled": "true", "removal_enabled": "false"},
    "`dashboard_enabled: false`": {"dashboard_enabled": "false"},
    "`efs_throughput_mode: provisioned`, 10 MiB/s": {
        "efs_throughput_mode": "provisioned",
        "efs_provisioned_throughput_mibps": "10",
    },
    "`instance_type: t4g.small`": {"instance_type": "t4g.small"},
}
"""Settings that change the fixed cost, by their name in docs/cost.md."""


def page_tables() -> str:
    """The tables of profiles, choices, usage and prices."""
    profiles = {name: _bill({"profile": name}) for name in PROFILES}
    medium = profiles["medium"]
    return "\n".join([_profiles(profiles), _choices(medium), _usage(medium), _prices()])


def _bill(settings: Mapping[str, str]) -> Bill:
    return bill_of("prod", example(settings), Usage())


def _profiles(profiles: Mapping[str, Bill]) -> str:
    bills = profiles.values()
    fixed = [{line.name: line.usd for line in bill.fixed} for bill in bills]
    fewest, most = ([getattr(bill, f"with_{which}_instances") for bill in bills] for which in ("fewest", "most"))
    counts = [
        f"{low.instance_count} to {high.instance_count} {bill.instance_type}"
        for bill, low, high in zip(bills, fewest, most, strict=True)
    ]
    names = list(dict.fromkeys(name for one in fixed for name in one))
    rows = [
        ["USD per month", *profiles],
        ["---"] * (len(profiles) + 1),
        ["instances, fewest to most", *counts],
        *([name, *(usd(one.get(name, 0)) for one in fixed)] for name in names),
        ["**fixed, with the fewest instances**", *(f"**{usd(totals.fixed_usd)}**" for totals in fewest)],
        ["fixed, with the most instances", *(usd(totals.fixed_usd) for totals in most)],
        ["usage-based, as below", *(usd(totals.usage_based_usd) for totals in fewest)],
        ["**total, with the fewest instances**", *(f"**{usd(totals.total_usd)}**" for totals in fewest)],
        ["total, with the most instances", *(usd(totals.total_usd) for totals in most)],
    ]
    return "### Profiles\n\n" + _table(rows)


def _choices(medium: Bill) -> str:
    count, before = medium.with_fewest_instances.instance_count, medium.with_fewest_instances.fixed_usd
    rows = [["profile medium with", "USD per month"], ["---", "---"]]
    for name, settings in CHOICES.items():
        after = total_usd(fixed_lines(example({"profile": "medium", **settings}), count))
        rows.append([name, f"{after - before:+,.2f}"])
    return "### Choices\n\n" + _table(rows)


def _usage(medium: Bill) -> str:
    rows = [["usage", "quantity", "unit", "USD each", "USD"], ["---"] * 5, *map(line_cells, medium.usage_based)]
    rows.append(["**usage-based**", "", "", "", f"**{usd(medium.with_fewest_instances.usage_based_usd)}**"])
    return "### Usage\n\n" + _table(rows)


def _prices() -> str:
    rows = [["price", "USD", "for each", "as of", "from"], ["---"] * 5]
    for price in prices().values():
        site = price.source.split("/")[2].removeprefix("www.")
        rows.append([price.what, f"{price.usd:g}", price.unit, price.date or "not dated", f"[{site}]({price.source})"])
    return "### Prices\n\n" + _table(rows)


def _table(rows: Iterable[Iterable[str]]) -> str:
    """Rows whose cells have Markdown of their own."""
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
