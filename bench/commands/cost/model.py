"""Model of a bill, as `python -m bench cost --format json` prints it.

The conventions are those of a report: every field is always present, and figures are not rounded. `bench/schema.py`
prints the JSON schema.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bench.common.model_part import Count, ModelPart


class BillLine(ModelPart):
    """One line of the bill, for a month of 730 hours."""

    name: str
    quantity: float = Field(ge=0, description="In `unit`.")
    unit: str
    unit_price_usd: float = Field(ge=0)
    usd: float = Field(ge=0, description="quantity * unit_price_usd")


class Quantities(ModelPart):
    """The month's storage and traffic, which the usage-based part is computed for."""

    stored_gb: float = Field(ge=0)
    downloaded_gb: float = Field(ge=0)
    uploaded_gb: float = Field(ge=0)
    request_count: float = Field(ge=0)


class Totals(ModelPart):
    """USD per month with a number of instances."""

    instance_count: Count
    fixed_usd: float
    usage_based_usd: float
    total_usd: float


class Bill(ModelPart):
    """Fixed and usage-based cost of one stack, in USD per month."""

    schema_version: Literal[1]
    stack: str
    profile: str
    instance_type: str
    price_region: str = Field(description="The region whose list prices these are.")
    usage: Quantities
    fixed: list[BillLine] = Field(description="With the fewest instances.")
    usage_based: list[BillLine]
    with_fewest_instances: Totals
    with_most_instances: Totals
