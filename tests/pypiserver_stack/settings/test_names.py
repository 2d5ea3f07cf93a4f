"""Names, certificate and access: which combinations are refused, and with which sentence."""

from __future__ import annotations

import pulumi
import pytest

from pypiserver_stack.settings import SettingsError, read_settings, warning_sentences

ZONE = {"zone_id": "Z0123456789ABCDEFGHIJ"}
CERTIFICATE = {"certificate_arn": "arn:aws:acm:us-west-2:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef"}
HTTP = {"allow_http": "true"}
PUBLIC_HTTP = {**HTTP, "balancer_scheme": "internet-facing"}


def problems(**config: object) -> dict[str, str]:
    with pytest.raises(SettingsError) as refused:
        read_settings(config)
    return {problem.key: problem.allowed for problem in refused.value.problems}


def test_with_neither_zone_nor_certificate_plain_http_has_to_be_asked_for() -> None:
    refused = problems()
    assert list(refused) == ["allow_http"]
    for way_out in ("zone_id", "certificate_arn", "allow_http to true"):
        assert way_out in refused["allow_http"]


@pytest.mark.parametrize(
    ("config", "https", "internal"),
    [
        (ZONE, True, False),
        (CERTIFICATE, True, False),
        (ZONE | CERTIFICATE, True, False),
        (ZONE | {"balancer_scheme": "internal"}, True, True),
        (HTTP, False, True),
        (HTTP | ZONE, True, False),
        (PUBLIC_HTTP | {"allowed_cidrs": "203.0.113.0/24"}, False, False),
    ],
)
def test_what_a_configuration_amounts_to(config: dict[str, str], https: bool, internal: bool) -> None:
    settings = read_settings(config)
    assert (settings.https, settings.internal) == (https, internal)


@pytest.mark.parametrize(
    "cidrs", [None, "0.0.0.0/0", "::/0", "10.0.0.0/8,0.0.0.0/0", "0.0.0.0/1,128.0.0.0/1", "::/1,8000::/2,c000::/2"]
)
def test_passwords_in_clear_are_not_for_everybody(cidrs: str | None) -> None:
    given = PUBLIC_HTTP if cidrs is None else {**PUBLIC_HTTP, "allowed_cidrs": cidrs}
    assert list(problems(**given)) == ["balancer_scheme"]
    read_settings({**given, **ZONE})
    read_settings({**given, "balancer_scheme": "internal"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("zone_id", "example.com"),
        ("zone_id", "/hostedzone/Z0123456789ABCDEFGHIJ"),
        ("dns_names", "Pypi"),
        ("dns_names", "pypi."),
        ("dns_names", "-pypi"),
        ("dns_names", "*"),
        ("dns_names", "[]"),
        ("dns_names", ",".join("abcdefghijk")),
        ("dns_role_arn", "arn:aws:iam::123456789012:user/dns"),
        ("certificate_arn", "arn:aws:iam::123456789012:server-certificate/pypi"),
        ("certificate_issuers", "amazon"),
        ("allowed_cidrs", "10.0.0.1/8"),
        ("allowed_cidrs", "10.0.0.0/33"),
        ("allowed_cidrs", "[]"),
        ("allowed_cidrs", ",".join(f"10.{i}.0.0/16" for i in range(26))),
        ("balancer_scheme", "public"),
    ],
)
def test_a_value_out_of_bounds_is_refused(key: str, value: str) -> None:
    # Another mistake beside it is reported only where it is one by itself.
    assert list(problems(**{**ZONE, key: value})) == [key]


def test_ranges_are_written_one_way() -> None:
    settings = read_settings({**HTTP, "allowed_cidrs": '["10.1.2.3", "2001:DB8::/32"]'})
    assert settings.allowed_cidrs == ("10.1.2.3/32", "2001:db8::/32")


def test_nothing_is_given_twice() -> None:
    assert problems(**ZONE, dns_names="a,b,a", allowed_cidrs="10.0.0.1,10.0.0.1/32") == {
        "dns_names": "takes each of them once",
        "allowed_cidrs": "takes each of them once",
    }


def test_what_only_a_zone_gives_a_meaning_takes_one() -> None:
    config = {"dns_names": "pypi", "dns_role_arn": "arn:aws:iam::123456789012:role/dns", "certificate_issuers": "[]"}
    refused = problems(**HTTP, **config)
    assert refused == dict.fromkeys(config, "takes a zone: set zone_id")
    read_settings({**ZONE, **config})


def test_the_authority_that_is_asked_may_issue() -> None:
    others = {"certificate_issuers": "letsencrypt.org"}
    assert list(problems(**ZONE, **others)) == ["certificate_issuers"]
    read_settings({**ZONE, **CERTIFICATE, **others})
    read_settings({**ZONE, "certificate_issuers": "letsencrypt.org,awstrust.com"})


def test_another_program_may_give_what_it_has_just_made() -> None:
    zone_id, certificate_arn = pulumi.Output.from_input("Z1"), pulumi.Output.from_input("arn")
    settings = read_settings({"zone_id": zone_id, "certificate_arn": certificate_arn})
    assert settings.https
    assert settings.zone_id is zone_id


def test_a_certificate_without_a_zone_comes_with_a_word_on_its_name() -> None:
    def is_reported(config: dict[str, str]) -> bool:
        return any("make a record" in warning for warning in warning_sentences(read_settings(config)))

    assert is_reported(CERTIFICATE)
    assert not is_reported(CERTIFICATE | ZONE)
    assert not is_reported(ZONE)
