"""The arithmetic of a month's bill, and that every price says where it comes from."""

from __future__ import annotations

import re

import pytest

from sizing.cost import HOURS_PER_MONTH, Line, for_a_month, instance_price, line, prices, total_usd
from sizing.instances import Instance, catalogue, find


def test_a_month_is_charged_by_its_hours() -> None:
    one = for_a_month("nat_gateway_hour", 2)
    assert one.quantity == 2 * HOURS_PER_MONTH == 1460
    assert one.usd == pytest.approx(65.70)


def test_a_line_is_named_after_its_price_or_otherwise() -> None:
    assert line("key_month", 1).what == "KMS key"
    assert line("key_month", 1, "key of the topic").what == "key of the topic"


def test_the_total_is_the_sum_of_the_lines() -> None:
    assert total_usd([]) == 0
    assert total_usd([line("dashboard_month", 1), line("alarm_month", 11)]) == pytest.approx(4.10)


def test_the_plans_two_hosts_cost_what_the_plan_says() -> None:
    price = instance_price(find("c6a.xlarge"))
    assert price
    assert Line("hosts", 2 * HOURS_PER_MONTH, price).usd == pytest.approx(223.38)  # "about 220 $"


def test_a_type_that_the_catalogue_does_not_have_has_no_price() -> None:
    described = Instance.described("x9.large", vcpu_count=2, memory_mb=4096, architecture="arm64", burstable=False)
    assert instance_price(described) is None


@pytest.mark.parametrize("name", prices())
def test_every_price_says_where_it_comes_from(name: str) -> None:
    price = prices()[name]
    assert price.usd > 0
    assert price.source.startswith("https://")
    assert price.date is None or re.fullmatch(r"20\d\d-[01]\d(-[0-3]\d)?", price.date)


def test_all_prices_are_of_one_region() -> None:
    assert {price.region for price in prices().values()} == {one.price_region for one in catalogue().values()}


def test_prices_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        prices()["key_month"] = prices()["secret_month"]  # type: ignore[index]
