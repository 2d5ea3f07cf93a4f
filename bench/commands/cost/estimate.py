"""The bill of a deployment, from its resources and list prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from bench.commands.cost.bill import fixed_lines, usage_lines
from bench.commands.cost.model import Bill, BillLine, Quantities, Totals
from bench.deployment.engine import Deployment, StackConfig
from bench.deployment.engine.embedded import EmbeddedEngine
from bench.deployment.local import PROJECT_FOLDER
from bench.deployment.local_cloud import LocalCloud
from bench.deployment.stack_config import load_stack
from sizing.cost import Line, Usage, total_usd


def estimate(stack: str, overrides: Sequence[str], usage: Usage) -> Bill:
    """The bill of a stack, as its file and `overrides` configure it.

    Raises:
        UsageError: the program refuses its settings, the stack cannot be read, or a price is not known.
    """
    return bill_of(stack, evaluated(load_stack(PROJECT_FOLDER, stack, overrides)[0]), usage)


def bill_of(stack: str, deployment: Deployment, usage: Usage) -> Bill:
    """The bill of what the program makes of a stack."""
    capacity = deployment.outputs["capacity"]
    fixed = fixed_lines(deployment, capacity["instance_min_count"])
    usage_based = list(usage_lines(deployment, usage))

    def totals(instance_count: int) -> Totals:
        fixed_usd, usage_usd = total_usd(fixed_lines(deployment, instance_count)), total_usd(usage_based)
        return Totals(
            instance_count=instance_count,
            fixed_usd=fixed_usd,
            usage_based_usd=usage_usd,
            total_usd=fixed_usd + usage_usd,
        )

    return Bill(
        schema_version=1,
        stack=stack,
        profile=deployment.outputs["profile"],
        instance_type=capacity["instance_type"],
        price_region=fixed[0].price.region,
        usage=Quantities(**asdict(usage)),
        fixed=[_item(line) for line in fixed],
        usage_based=[_item(line) for line in usage_based],
        with_fewest_instances=totals(capacity["instance_min_count"]),
        with_most_instances=totals(capacity["instance_max_count"]),
    )


def _item(line: Line) -> BillLine:
    return BillLine(
        name=line.what,
        quantity=line.quantity,
        unit=line.price.unit,
        unit_price_usd=line.price.usd,
        usd=line.usd,
    )


def evaluated(config: StackConfig) -> Deployment:
    """What the program makes of a configuration, without AWS and without a Pulumi command.

    Raises:
        UsageError: it refuses the settings.
    """
    return EmbeddedEngine(LocalCloud(), PROJECT_FOLDER).up(config)
