"""The way of the clients to a balancer on AWS: never a password in clear, never everybody."""

from __future__ import annotations

import json

import pytest
import uvloop

from bench.common.failures import UnavailableError, UsageError
from bench.deployment.aws.ingress.access import access_to, checked_cidr
from bench.deployment.aws.ingress.public_address import public_cidr
from bench.deployment.engine import StackConfig
from pypiserver_stack.settings import read_settings
from tests.bench.scripted_index import http, scripted_index

CIDR = "203.0.113.7/32"
CERTIFICATE = "arn:aws:acm:us-west-2:123456789012:certificate/1234abcd-12ab-34cd-56ef-1234567890ab"


def config(**values: str) -> StackConfig:
    return StackConfig("pypiserver", "stress", {f"pypiserver:{key}": value for key, value in values.items()})


def test_without_a_zone_it_is_https_from_the_clients_alone() -> None:
    stress = {"allow_http": "true", "balancer_scheme": "internal"}
    access = access_to(config(**stress), (), CIDR, is_private=False)
    assert access.makes_certificate
    settings = read_settings({**stress, **access.values, "certificate_arn": CERTIFICATE})
    assert settings.https
    assert not settings.internal
    assert settings.allowed_cidrs == (CIDR,)


@pytest.mark.parametrize("setting", ["certificate_arn", "allow_http", "balancer_scheme", "allowed_cidrs"])
def test_a_setting_that_the_run_makes_itself_is_refused(setting: str) -> None:
    with pytest.raises(UsageError, match=f"-c {setting}: without zone_id the run makes its own certificate"):
        access_to(config(), (setting,), CIDR, is_private=False)


def test_with_a_zone_it_is_its_names() -> None:
    access = access_to(config(zone_id="Z0123456789ABCDEFGHIJ"), ("zone_id",), CIDR, is_private=False)
    assert not access.makes_certificate
    assert access.values == {"allowed_cidrs": json.dumps([CIDR])}


@pytest.mark.parametrize(
    "given", [{"allowed_cidrs": "198.51.100.0/24"}, {"cloudfront_enabled": "true"}], ids=lambda given: next(iter(given))
)
def test_with_a_zone_what_the_stack_file_says_of_its_clients_stays(given: dict[str, str]) -> None:
    assert access_to(config(zone_id="Z0123456789ABCDEFGHIJ", **given), (), CIDR, is_private=False).values == {}


def test_nobody_outside_reaches_an_internal_balancer() -> None:
    with pytest.raises(UsageError, match="balancer_scheme=internal: nobody outside the VPC"):
        access_to(config(zone_id="Z0123456789ABCDEFGHIJ", balancer_scheme="internal"), (), CIDR, is_private=False)


def test_inside_the_vpc_it_is_as_the_stack_file_has_it() -> None:
    access = access_to(config(allow_http="true", balancer_scheme="internal"), (), None, is_private=True)
    assert (access.values, access.makes_certificate) == ({}, False)


@pytest.mark.parametrize(("text", "cidr"), [("203.0.113.7", CIDR), (CIDR, CIDR), ("2001:db8::/64", "2001:db8::/64")])
def test_a_range(text: str, cidr: str) -> None:
    assert checked_cidr(text) == cidr


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "203.0.113.7/24", "here", ""])
def test_a_range_that_is_none_or_everybody(text: str) -> None:
    with pytest.raises(UsageError, match=f"--client-cidr {text}: "):
        checked_cidr(text)


@pytest.mark.parametrize(
    ("answer", "cidr"),
    [(b"203.0.113.7\n", CIDR), (b"2001:db8::7\n", "2001:db8::7/128")],
    ids=["IPv4", "IPv6"],
)
def test_the_address_of_this_machine(answer: bytes, cidr: str) -> None:
    async def run() -> str:
        async with scripted_index({"/": http("200 OK", answer)}) as asked:
            return await public_cidr(asked.url)

    assert uvloop.run(run()) == cidr


@pytest.mark.parametrize(
    "answer", [http("200 OK", b"<html>sign in"), http("503 Service Unavailable"), http("200 OK", b"\xff")]
)
def test_an_answer_that_is_no_address(answer: bytes) -> None:
    async def run() -> None:
        async with scripted_index({"/": answer}) as asked:
            await public_cidr(asked.url)

    with pytest.raises(UnavailableError, match=r"does not say which address this machine has: .*--client-cidr"):
        uvloop.run(run())
