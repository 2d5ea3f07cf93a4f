"""The way of the clients of a run to its balancer: over HTTPS, from addresses that are known beforehand."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import ip_network

from bench.common.failures import UsageError
from bench.deployment.engine import StackConfig

_OWN = ("certificate_arn", "allow_http", "balancer_scheme", "allowed_cidrs")


@dataclass(frozen=True)
class Access:
    """How clients reach the balancer."""

    values: Mapping[str, str]
    """Settings that make it so, without namespace, in place of the stack file's."""
    makes_certificate: bool
    """Whether the balancer needs a certificate that is made for the run."""


def access_to(config: StackConfig, overridden: Collection[str], client_cidr: str | None, *, is_private: bool) -> Access:
    """How the clients of a run reach a stack of this configuration.

    With a zone, by the names in it. Without one, by the balancer's own name and a certificate made for the run. Where
    the clients are inside the VPC or its region, as the stack file has it.

    Args:
        overridden: settings that the command line gives, without namespace.
        client_cidr: addresses of the clients; not needed where `is_private`.

    Raises:
        UsageError: a password would cross the internet in clear, or nobody could reach the balancer.
    """
    if is_private:
        return Access({}, makes_certificate=False)
    assert client_cidr is not None, "asked for unless the clients are private"
    settings = {key.removeprefix(f"{config.project}:"): value for key, value in config.values.items()}
    if "zone_id" in settings:
        if settings.get("balancer_scheme") == "internal":
            raise UsageError(
                "balancer_scheme=internal: nobody outside the VPC reaches such a balancer: run inside it with "
                "--private, or leave the setting out"
            )
        given = {} if "allowed_cidrs" in settings else {"allowed_cidrs": json.dumps([client_cidr])}
        return Access(given if settings.get("cloudfront_enabled") != "true" else {}, makes_certificate=False)
    if contradicted := sorted(set(_OWN) & set(overridden)):
        raise UsageError(
            f"-c {contradicted[0]}: without zone_id the run makes its own certificate and admits its clients alone: "
            "leave the setting out, or set zone_id, or run inside the VPC with --private"
        )
    return Access(
        {"allow_http": "false", "balancer_scheme": "internet-facing", "allowed_cidrs": json.dumps([client_cidr])},
        makes_certificate=True,
    )


def checked_cidr(text: str) -> str:
    """A range of addresses as the program takes it; one address stands for itself alone.

    Raises:
        UsageError: it is none, or everybody's.
    """
    try:
        network = ip_network(text)
    except ValueError:
        raise UsageError(f"--client-cidr {text}: not a range of addresses such as 203.0.113.7/32") from None
    if not network.prefixlen:
        raise UsageError(f"--client-cidr {text}: these are all addresses there are; name those of the load generators")
    return str(network)
