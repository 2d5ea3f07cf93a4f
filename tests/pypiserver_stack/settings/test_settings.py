"""Settings: every mistake reported at once, with the key, the value and what is allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypiserver_stack.settings import Settings, SettingsError, allowed, read_settings, warning_sentences
from sizing.profiles import PROFILES

# A deployment has a name and a certificate, or says that it needs none.
PLAIN = {"allow_http": "true"}


def problems(**config: str) -> dict[str, str]:
    with pytest.raises(SettingsError) as refused:
        read_settings({**PLAIN, **config})
    return {problem.key: problem.allowed for problem in refused.value.problems}


def test_without_configuration_the_profile_is_medium() -> None:
    settings = read_settings(PLAIN)
    assert (settings.profile, settings.instance_type, settings.container_memory_mb) == ("medium", "t3.small", 512)


def test_a_profile_gives_values_and_the_configuration_overrides_them() -> None:
    assert read_settings({**PLAIN, "profile": "tested"}).instance_type == "c6a.xlarge"
    changed = read_settings({**PLAIN, "profile": "tested", "instance_type": "t3.large"})
    assert (changed.instance_type, changed.instance_max_count) == ("t3.large", 4)


@pytest.mark.parametrize("name", PROFILES)
def test_every_value_of_a_profile_is_a_valid_setting(name: str) -> None:
    settings = read_settings({**PLAIN, "profile": name})
    assert {key: getattr(settings, key) for key in PROFILES[name].values} == dict(PROFILES[name].values)


def test_all_mistakes_are_told_at_once() -> None:
    found = problems(
        container_memory_mb="lots", backend="magic", task_min_count="9", task_max_count="3", stickines_enabled="true"
    )
    assert found == {
        "stickines_enabled": "there is no such setting; did you mean stickiness_enabled?",
        "container_memory_mb": "a whole number from 128 to 65536",
        "backend": "one of simple-dir, validated",
        "task_min_count": "at most task_max_count, which is 3",
    }


def test_what_a_wrong_value_would_contradict_is_not_told_twice() -> None:
    assert list(problems(task_min_count="many", task_max_count="1")) == ["task_min_count"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("instance_min_count", "0"),
        ("instance_min_count", "2.5"),
        ("instance_type", "large"),
        ("container_memory_mb", "127"),
        ("container_cpu_units", "127"),
        ("gunicorn_workers", "17"),
        ("gunicorn_keepalive_s", "0"),
        ("stickiness_enabled", "perhaps"),
        ("load_balancing_algorithm", "fastest"),
        ("authentication", "none"),
        ("entry_point", "uwsgi"),
        ("image", "pypiserver/pypiserver"),
        ("image", "pypiserver/pypiserver:latest"),
        ("image", "pypiserver/pypiserver:latest@sha256:" + "0" * 64),
        ("image", "pypiserver/pypiserver@sha256:" + "0" * 64),
        ("image", "pypiserver/pypiserver:v2.4.2@sha256:abc"),
        ("image", "registry.example:5000/pypiserver"),
        ("image", "pypiserver/pypiserver:v2.4.2 "),
        ("image", "i" * 254 + ":1@sha256:" + "0a" * 32),
        ("upload_limit_mb", "0"),
        ("overwrite", "sometimes"),
        ("index_margin_s", "0"),
        ("health_check_path", "health"),
        ("health_check_path", "/simple/"),
        ("task_max_count", ""),
    ],
)
def test_a_value_out_of_bounds_is_refused(key: str, value: str) -> None:
    assert problems(**{key: value}) == {key: allowed(key)}


@pytest.mark.parametrize(
    ("image", "warnings"),
    [
        ("pypiserver/pypiserver:v2.4.2", 1),
        ("pypiserver/pypiserver:v2.4.2@sha256:" + "0a" * 32, 0),
        ("pypiserver:latest-but-one", 1),
        ("i" * 253 + ":1@sha256:" + "0a" * 32, 0),
        ("registry.example:5000/mirror/pypiserver:v2.4.2@sha256:" + "0a" * 32, 0),
    ],
)
def test_an_image_without_digest_is_warned_of(image: str, warnings: int) -> None:
    settings = read_settings({**PLAIN, "image": image})
    assert settings.image == image
    assert len([warning for warning in warning_sentences(settings) if "digest" in warning]) == warnings


def test_the_images_own_entry_point_takes_what_the_terraform_module_runs() -> None:
    sentence = "takes authentication bcrypt and backend simple-dir, which are {} and {}"
    assert problems(entry_point="image") == {"entry_point": sentence.format("sha256", "validated")}
    assert problems(entry_point="image", authentication="bcrypt", backend="validated") == {
        "entry_point": sentence.format("bcrypt", "validated")
    }
    assert list(problems(entry_point="image", authentication="magic")) == ["authentication"]
    read_settings({**PLAIN, "entry_point": "image", "authentication": "bcrypt", "backend": "simple-dir"})


def test_an_unknown_profile_names_the_nearest() -> None:
    assert "did you mean heavy?" in problems(profile="heavi")["profile"]


def test_every_setting_says_what_it_means() -> None:
    for key, setting in Settings.model_fields.items():
        assert setting.description
        assert setting.description.endswith(".")
        assert allowed(key)


@given(st.integers(128, 65536), st.integers(64, 65536))
def test_a_reservation_is_never_above_the_limit(memory_mb: int, reservation_mb: int) -> None:
    config = {"container_memory_mb": str(memory_mb), "container_memory_reservation_mb": str(reservation_mb)}
    if reservation_mb > memory_mb:
        assert list(problems(**config)) == ["container_memory_reservation_mb"]
    else:
        assert read_settings({**PLAIN, **config}).container_memory_reservation_mb == reservation_mb
