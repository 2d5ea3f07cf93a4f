"""Settings of CloudFront in front of the balancer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from pypiserver_stack.settings.problems import Problem
from pypiserver_stack.settings.types import Group

# Where CloudFront's certificates, web ACLs and log deliveries are kept, whatever the stack's own region.
CLOUDFRONT_REGION = "us-east-1"
# The paths of package files and of their metadata: what edges keep.
PACKAGE_FILES = "/packages/*"
OF_THE_DISTRIBUTION = ("cloudfront_price_class", "cloudfront_max_ttl_s")


class CloudFrontSettings(Group):
    """CloudFront."""

    cloudfront_enabled: bool = False
    """Put a CloudFront distribution in front of the balancer, whose edges keep package files and nothing else; the
    balancer then takes requests from it alone."""
    cloudfront_price_class: Literal["PriceClass_100", "PriceClass_200", "PriceClass_All"] = "PriceClass_100"
    """Which edges serve the index. PriceClass_100: North America, Europe and Israel. PriceClass_200: most others too.
    PriceClass_All: every edge."""
    cloudfront_max_ttl_s: Annotated[int, Field(ge=60, le=31_536_000)] = 86_400
    """Seconds for which an edge serves a file before it asks the balancer again; also how long a dropped password still
    gets what was fetched with it, where the edges were not invalidated."""

    def contradictions(self) -> Iterator[Problem]:
        """Settings that need a distribution."""
        for key in OF_THE_DISTRIBUTION:
            if key in self.model_fields_set and not self.cloudfront_enabled:
                allowed = "takes a distribution: set cloudfront_enabled to true, or leave it out"
                yield self.refused(key, allowed, "cloudfront_enabled")
