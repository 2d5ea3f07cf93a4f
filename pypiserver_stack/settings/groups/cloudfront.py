"""CloudFront in front of the balancer, and what has to hold for its edges to keep package files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pypiserver_stack.settings.groups.names import AMAZON
from pypiserver_stack.settings.problems import Problem
from pypiserver_stack.settings.types import Group

if TYPE_CHECKING:
    from pypiserver_stack.settings.settings import Settings

# Where CloudFront's certificates, web ACLs and log deliveries are kept, whatever the stack's own region.
CLOUDFRONT_REGION = "us-east-1"
# The paths of package files and of their metadata: what edges keep.
PACKAGE_FILES = "/packages/*"
OF_THE_DISTRIBUTION = ("cloudfront_price_class", "cloudfront_max_ttl_s")


class CloudFrontSettings(Group):
    """CloudFront."""

    cloudfront_enabled: bool = Field(
        default=False,
        description=(
            "Put a CloudFront distribution in front of the balancer, whose edges keep package files and nothing else; "
            "the balancer then takes requests from it alone."
        ),
    )
    cloudfront_price_class: Literal["PriceClass_100", "PriceClass_200", "PriceClass_All"] = Field(
        default="PriceClass_100",
        description=(
            "Which edges serve the index. PriceClass_100: North America, Europe and Israel. PriceClass_200: most "
            "others too. PriceClass_All: every edge."
        ),
    )
    cloudfront_max_ttl_s: Annotated[int, Field(ge=60, le=31_536_000)] = Field(
        default=86_400,
        description=(
            "Seconds for which an edge serves a file before it asks the balancer again; also how long a dropped "
            "password still gets what was fetched with it, where the edges were not invalidated."
        ),
    )

    def contradictions(self) -> Iterator[Problem]:
        """What only a distribution gives a meaning."""
        for key in OF_THE_DISTRIBUTION:
            if key in self.model_fields_set and not self.cloudfront_enabled:
                yield Problem(
                    key,
                    getattr(self, key),
                    "takes a distribution: set cloudfront_enabled to true, or leave it out",
                    frozenset(["cloudfront_enabled"]),
                )


def what_a_distribution_needs(settings: Settings) -> Iterator[Problem]:
    """Whatever would open the balancer to others, let an edge serve what it should not, or leave it nothing to keep."""
    if not settings.cloudfront_enabled:
        return

    def refused(key: str, allowed: str, *others: str) -> Problem:
        return Problem(key, _shown(getattr(settings, key)), allowed, frozenset(["cloudfront_enabled", *others]))

    if settings.zone_id is None:
        yield refused(
            "cloudfront_enabled",
            "takes a zone: set zone_id, in which the distribution's names and its certificate of us-east-1 are made",
            "zone_id",
        )
    elif settings.certificate_issuers and AMAZON.isdisjoint(settings.certificate_issuers):
        yield refused(
            "certificate_issuers",
            "must hold amazon.com with cloudfront_enabled, whose certificate is made in the zone in any case",
        )
    if settings.balancer_scheme == "internal":
        yield refused("balancer_scheme", "internet-facing, or left out, with cloudfront_enabled, which must reach it")
    if settings.allowed_cidrs is not None:
        yield refused(
            "allowed_cidrs",
            "left out with cloudfront_enabled: the balancer takes CloudFront alone, and CloudFront takes everybody",
        )
    if settings.overwrite or settings.removal_enabled:
        yield refused(
            "cloudfront_enabled",
            "takes overwrite false and removal_enabled false, which are "
            f"{_shown(settings.overwrite)} and {_shown(settings.removal_enabled)}: an edge would go on serving a file "
            "that was replaced or removed",
            "overwrite",
            "removal_enabled",
        )
    if settings.authentication != "sha256":
        yield refused(
            "authentication",
            "sha256 with cloudfront_enabled: other users can be taken away without the edges being told",
        )
    if settings.backend != "validated":
        yield refused(
            "backend",
            "validated with cloudfront_enabled: pypiserver's own does not say which files may be kept, so none are",
        )
    if settings.stickiness_enabled:
        yield refused(
            "stickiness_enabled", "false with cloudfront_enabled, whose edges would keep the cookie with the file"
        )


def _shown(value: object) -> object:
    """As it is written in a configuration."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else value
