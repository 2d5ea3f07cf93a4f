"""The catalogue: complete, consistent, and clear about what it does not know."""

from __future__ import annotations

from datetime import date

import pytest

from sizing import Instance, SizingError, UnknownInstanceError, catalogue, find
from sizing.instances import cheapest


def test_the_types_that_profiles_and_users_name_are_known() -> None:
    sizes = {
        "t3": ("nano", "micro", "small", "medium", "large", "xlarge", "2xlarge"),
        "t4g": ("micro", "small", "medium", "large"),
        "c6a": ("large", "xlarge", "2xlarge", "4xlarge"),
        "c7a": ("large", "xlarge", "2xlarge"),
        "c7g": ("large", "xlarge", "2xlarge"),
        "m6a": ("large", "xlarge"),
        "m7g": ("large", "xlarge"),
    }
    assert {f"{family}.{size}" for family, names in sizes.items() for size in names} <= set(catalogue())


def test_c6a_xlarge() -> None:
    instance = find("c6a.xlarge")
    assert (instance.vcpu_count, instance.memory_mb, instance.architecture) == (4, 8192, "x86_64")
    assert instance.registered_memory_mb == 8192 - 450 - 16
    assert instance.burstable_baseline_percent is None
    assert (instance.price_usd_per_hour, instance.price_region) == (0.153, "us-east-1")


def test_t3_micro_registers_what_the_incident_saw() -> None:
    instance = find("t3.micro")
    assert (instance.memory_mb, instance.registered_memory_mb) == (1024, 916)
    assert "incident" in instance.registered_memory_source
    assert instance.burstable_baseline_percent == 10


@pytest.mark.parametrize("instance", catalogue().values(), ids=lambda instance: instance.name)
def test_every_entry_is_plausible(instance: Instance) -> None:
    assert find(instance.name) is instance
    assert 0 < instance.registered_memory_mb < instance.memory_mb
    assert (
        instance.registered_memory_mb
        >= Instance.described(
            instance.name,
            vcpu_count=instance.vcpu_count,
            memory_mb=instance.memory_mb,
            architecture=instance.architecture,
            burstable=False,
        ).registered_memory_mb
    ), "the estimate for types outside the catalogue is below every measurement in it"
    assert instance.registered_memory_source
    assert (instance.burstable_baseline_percent is not None) == instance.name.startswith("t")
    assert (instance.architecture == "arm64") == instance.name.split(".")[0].endswith("g")
    assert instance.price_usd_per_hour is not None
    assert instance.price_usd_per_hour > 0
    assert instance.price_date is not None
    assert date.fromisoformat(instance.price_date)


def test_within_a_family_twice_the_size_is_about_twice_the_price() -> None:
    for family in ("t3", "t4g", "c6a", "c7a", "c7g", "m6a", "m7g"):
        for small, large in (("large", "xlarge"), ("xlarge", "2xlarge")):
            a, b = find(f"{family}.{small}"), find(f"{family}.{large}")
            assert a.price_usd_per_hour is not None
            assert b.memory_mb == 2 * a.memory_mb
            assert b.price_usd_per_hour == pytest.approx(2 * a.price_usd_per_hour, rel=0.01)


def test_the_catalogue_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        catalogue()["t3.micro"] = find("t3.nano")  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "nearest"), [("c6a.xlrge", "c6a.xlarge"), ("t3.smal", "t3.small"), ("t3.Medium", "t3.medium")]
)
def test_an_unknown_type_is_an_error_with_the_nearest_names(name: str, nearest: str) -> None:
    with pytest.raises(UnknownInstanceError, match=rf"instance_type {name} .*{nearest}") as refused:
        find(name)
    assert isinstance(refused.value, SizingError)


def test_a_described_type_is_estimated_low_and_has_no_price() -> None:
    instance = Instance.described("m8g.large", vcpu_count=2, memory_mb=8192, architecture="arm64", burstable=False)
    assert instance.registered_memory_mb == 8192 - 128 - 614
    assert instance.registered_memory_source.startswith("estimated:")
    assert (instance.burstable_baseline_percent, instance.price_usd_per_hour) == (None, None)


def test_a_described_burstable_type_has_the_lowest_baseline_there_is() -> None:
    instance = Instance.described("t9.small", vcpu_count=2, memory_mb=2048, architecture="x86_64", burstable=True)
    assert instance.burstable_baseline_percent == min(
        known.burstable_baseline_percent for known in catalogue().values() if known.burstable_baseline_percent
    )


def test_cheapest_is_of_the_architecture_and_fulfils_the_condition() -> None:
    of_8_gb = cheapest("arm64", lambda known: known.memory_mb >= 8192)
    assert of_8_gb is not None
    assert of_8_gb.name == "t4g.large"
    assert cheapest("x86_64", lambda known: known.vcpu_count > 1000) is None
