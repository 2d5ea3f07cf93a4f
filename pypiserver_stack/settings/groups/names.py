"""Settings of names, certificate and access."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Annotated, Any, Literal

from pydantic import Field

from pypiserver_stack.settings.problems import Caution, Problem
from pypiserver_stack.settings.types import LISTED, Cidr, Group, RoleArn, arn, reference

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# Each of them is Amazon: https://docs.aws.amazon.com/acm/latest/userguide/setup-caa.html
AMAZON = frozenset({"amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com"})
IN_THE_ZONE = ("dns_names", "dns_role_arn", "certificate_issuers")

Label = Annotated[str, Field(pattern=rf"^{_LABEL}(\.{_LABEL})*$", max_length=200)]
Issuer = Annotated[str, Field(pattern=rf"^{_LABEL}(\.{_LABEL})+$", max_length=253)]

_ZoneId: Any = reference(r"Z[A-Z0-9]{1,31}", "the ID of a Route 53 hosted zone, such as Z0123456789ABCDEFGHIJ")
_CertificateArn: Any = arn("acm", r"certificate/[A-Za-z0-9-]+", "the ARN of a certificate of ACM in the stack's region")


class NamesSettings(Group):
    """Names, certificate and access."""

    zone_id: _ZoneId | None = None
    """Route 53 hosted zone for the index's names; the certificate is made in it."""
    dns_names: Annotated[tuple[Label, ...], Field(min_length=1, max_length=10), LISTED] = Field(
        default=("pypiserver",),
        json_schema_extra={"takes": "a list of 1 to 10 names of lower-case letters, digits, hyphens and dots"},
    )
    """Names of the index, without the zone's own; the first one is in the exported `url`."""
    dns_role_arn: RoleArn | None = None
    """Role that is assumed to read and write the zone, where it is in another account."""
    certificate_arn: _CertificateArn | None = None
    """Certificate of your own, which is used instead of one made in the zone."""
    certificate_issuers: Annotated[tuple[Issuer, ...], Field(max_length=20), LISTED] | None = Field(
        default=None, json_schema_extra={"takes": "a list of at most 20 domains of certificate authorities"}
    )
    """Authorities that may issue certificates for the names, as CAA records say it; `[]` for no such records; computed:
    amazon.com, and none beside certificate_arn."""
    allow_http: bool = False
    """Whether the index may be served over plain HTTP, passwords in clear, where it has neither zone nor
    certificate."""
    balancer_scheme: Literal["internet-facing", "internal"] | None = None
    """Whether the balancer has public addresses; computed: internet-facing over HTTPS, internal over HTTP."""
    # Each becomes a rule for each port, and a security group takes 60 rules of each address family; new rules are made
    # before old ones go.
    allowed_cidrs: Annotated[tuple[Cidr, ...], Field(min_length=1, max_length=25), LISTED] | None = Field(
        default=None, json_schema_extra={"takes": "a list of 1 to 25 ranges such as 10.0.0.0/8 or 2001:db8::/32"}
    )
    """Addresses that may reach the balancer; computed: all over HTTPS, those of the stack's VPC over HTTP. At most 30
    less those that there are can be added at once."""

    @property
    def https(self) -> bool:
        """Whether there is a certificate."""
        return self.zone_id is not None or self.certificate_arn is not None

    @property
    def issuers(self) -> tuple[str, ...]:
        """Which authorities the CAA records name; none for no such records."""
        if self.certificate_issuers is not None:
            return self.certificate_issuers
        # Nobody here knows which authority issued a certificate that is given, and will have to again.
        return ("amazon.com",) if self.certificate_arn is None else ()

    @property
    def internal(self) -> bool:
        """Whether the balancer has private addresses alone."""
        return self.balancer_scheme == "internal" if self.balancer_scheme else not self.https

    def contradictions(self) -> Iterator[Problem]:
        """Passwords in clear that nobody agreed to, and what only a zone gives a meaning."""
        if not self.https:
            yield from self._plain_http()
        if self.zone_id is None:
            for key in IN_THE_ZONE:
                if key in self.model_fields_set and getattr(self, key) is not None:
                    yield self.refused(key, "takes a zone: set zone_id", "zone_id")
        elif self.certificate_arn is None and self.certificate_issuers and AMAZON.isdisjoint(self.certificate_issuers):
            yield self.refused(
                "certificate_issuers",
                "must hold amazon.com, which issues the certificate that is made in the zone, unless certificate_arn "
                "names another",
                "certificate_arn",
                "zone_id",
            )
        for key in ("dns_names", "allowed_cidrs"):
            items = getattr(self, key) or ()
            if len(set(items)) < len(items):
                yield self.refused(key, "takes each of them once")

    def _plain_http(self) -> Iterator[Problem]:
        keys = frozenset(["zone_id", "certificate_arn", "balancer_scheme", "allowed_cidrs"])
        if not self.allow_http:
            yield Problem(
                "allow_http",
                False,
                "there is neither a name nor a certificate: set zone_id to a Route 53 hosted zone, or certificate_arn "
                "to a certificate, or allow_http to true, which sends passwords in clear",
                keys,
            )
        elif not self.internal and (self.allowed_cidrs is None or _hold_everybody(self.allowed_cidrs)):
            yield Problem(
                "balancer_scheme",
                "internet-facing",
                "without zone_id and certificate_arn passwords would cross the internet in clear: set one of them, or "
                "balancer_scheme to internal, or allowed_cidrs to less than everybody",
                keys,
            )

    def cautions(self) -> Iterator[Caution]:
        """A certificate for a name that the stack does not know."""
        if self.certificate_arn is not None and self.zone_id is None:
            sentence = (
                "certificate_arn without zone_id: the exported url has the balancer's own name, which your certificate "
                "does not cover: make a record that points a name of the certificate there"
            )
            yield Caution(sentence, "operation")


def _hold_everybody(ranges: tuple[str, ...]) -> bool:
    """Whether they are all addresses of a family, in however many parts."""
    networks = [ip_network(text) for text in ranges]
    ipv4 = collapse_addresses([network for network in networks if isinstance(network, IPv4Network)])
    ipv6 = collapse_addresses([network for network in networks if isinstance(network, IPv6Network)])
    return any(network.prefixlen == 0 for network in ipv4) or any(network.prefixlen == 0 for network in ipv6)
