"""The bill of a stack as a table, and the tables of docs/cost.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bench.cost.bill import by_use, standing
from bench.engine import Deployment
from bench.example import evaluated, example
from bench.local_deployment import PROJECT_FOLDER
from bench.stack_config import load_stack
from sizing.cost import Line, Usage, prices, total_usd
from sizing.counted import counted
from sizing.profiles import PROFILES

CHOICES: Mapping[str, Mapping[str, str]] = {
    "`nat_gateways: one_per_zone`": {"nat_gateways": "one_per_zone"},
    "`nat_gateways: none`": {
        "nat_gateways": "none",
        "image": "123456789012.dkr.ecr.us-west-2.amazonaws.com/pypiserver:v2.4.2",
    },
    "`availability_zone_count: 3`": {"availability_zone_count": "3"},
    "subnets of yours": {
        "instance_subnet_ids": "subnet-0123456789abcde00,subnet-0123456789abcde01",
        "balancer_subnet_ids": "subnet-0123456789abcde30,subnet-0123456789abcde31",
    },
    "`balancer_scheme: internal`": {"balancer_scheme": "internal"},
    "`waf_enabled: true`": {"waf_enabled": "true"},
    "`detailed_monitoring_enabled: true`": {"detailed_monitoring_enabled": "true"},
    "`cloudfront_enabled: true`, before use": {"cloudfront_enabled": "true", "removal_enabled": "false"},
    "`dashboard_enabled: false`": {"dashboard_enabled": "false"},
    "`efs_throughput_mode: provisioned`, 10 MiB/s": {
        "efs_throughput_mode": "provisioned",
        "efs_provisioned_throughput_mibps": "10",
    },
    "`instance_type: t4g.small`": {"instance_type": "t4g.small"},
}
"""Settings that change what stands, by how docs/cost.md calls them."""


def deployed(stack: str, overrides: Sequence[str]) -> Deployment:
    """What the program makes of a stack.

    Raises:
        UsageError: the program refuses its settings, or the stack cannot be read.
    """
    return evaluated(load_stack(PROJECT_FOLDER, stack, overrides)[0])


def bill(deployment: Deployment, usage: Usage) -> str:
    """One stack's bill."""
    capacity = deployment.outputs["capacity"]
    fewest, most = capacity["instance_min_count"], capacity["instance_max_count"]
    stands = standing(deployment, fewest)
    used = list(by_use(deployment, usage))
    return "\n".join(
        [
            "| by the month | quantity | unit | USD each | USD |",
            "|---|---|---|---|---|",
            *(_row(_cells(one)) for one in stands),
            f"| **stands, with {_hosts(fewest)}** | | | | **{_usd(total_usd(stands))}** |",
            f"| stands, with {_hosts(most)} | | | | {_usd(total_usd(standing(deployment, most)))} |",
            *(_row(_cells(one)) for one in used),
            f"| **use** | | | | **{_usd(total_usd(used))}** |",
            "",
            f"List prices of {stands[0].price.region}, without Container Insights; see docs/cost.md.",
            "",
        ]
    )


def page_part() -> str:
    """What docs/cost.md holds of it: profiles, choices, use, prices."""
    profiles = {name: example({"profile": name}) for name in PROFILES}
    medium = profiles["medium"]
    return "\n".join([_profiles(profiles), _choices(medium), _use(medium), _prices()])


def _profiles(profiles: Mapping[str, Deployment]) -> str:
    capacities = {name: deployment.outputs["capacity"] for name, deployment in profiles.items()}
    bills = {
        name: {one.what: one.usd for one in standing(deployment, capacities[name]["instance_min_count"])}
        for name, deployment in profiles.items()
    }
    most = (total_usd(standing(one, capacities[name]["instance_max_count"])) for name, one in profiles.items())
    counts = (_counts(capacity) for capacity in capacities.values())
    whats = list(dict.fromkeys(what for one in bills.values() for what in one))
    rows = [
        ["USD by the month", *profiles],
        ["---"] * (len(profiles) + 1),
        ["hosts, fewest to most", *counts],
        *([what, *(_usd(one.get(what, 0)) for one in bills.values())] for what in whats),
        ["**stands, with the fewest hosts**", *(f"**{_usd(sum(one.values()))}**" for one in bills.values())],
        ["stands, with the most hosts", *map(_usd, most)],
    ]
    return "### Profiles\n\n" + _table(rows)


def _choices(medium: Deployment) -> str:
    count = medium.outputs["capacity"]["instance_min_count"]
    before = total_usd(standing(medium, count))
    rows = [["profile medium with", "USD by the month"], ["---", "---"]]
    for name, settings in CHOICES.items():
        after = total_usd(standing(example({"profile": "medium", **settings}), count))
        rows.append([name, f"{after - before:+,.2f}"])
    return "### Choices\n\n" + _table(rows)


def _use(medium: Deployment) -> str:
    used = list(by_use(medium, Usage()))
    rows = [["use", "quantity", "unit", "USD each", "USD"], ["---"] * 5, *(_cells(one) for one in used)]
    rows.append(["**use**", "", "", "", f"**{_usd(total_usd(used))}**"])
    return "### Use\n\n" + _table(rows)


def _prices() -> str:
    rows = [["price", "USD", "for each", "as of", "from"], ["---"] * 5]
    for price in prices().values():
        site = price.source.split("/")[2].removeprefix("www.")
        rows.append([price.what, f"{price.usd:g}", price.unit, price.date or "not dated", f"[{site}]({price.source})"])
    return "### Prices\n\n" + _table(rows)


def _counts(capacity: Mapping[str, object]) -> str:
    return f"{capacity['instance_min_count']} to {capacity['instance_max_count']} {capacity['instance_type']}"


def _hosts(count: int) -> str:
    return counted(count, "host")


def _cells(one: Line) -> list[str]:
    return [one.what, f"{one.quantity:,g}", one.price.unit, f"{one.price.usd:g}", _usd(one.usd)]


def _table(rows: Iterable[Iterable[str]]) -> str:
    return "".join(f"{_row(row)}\n" for row in rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _usd(amount: float) -> str:
    return f"{amount:,.2f}"
