"""Profile, names and protection against deletion."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from pypiserver_stack.settings.problems import Problem
from pypiserver_stack.settings.types import OBJECTS, Group, only
from sizing.profiles import PROFILES

# Names of balancers end at 32 characters, of which Pulumi adds eight.
NAME = r"^[a-z][a-z0-9-]{0,18}[a-z0-9]$"
NAME_TAKES = "2 to 20 lower-case letters, digits and hyphens, the first a letter"
# A hyphen follows each name. Capacity providers of ECS, balancers, security groups and buckets, in this order.
_RESERVED = re.compile(r"(aws|ecs|fargate)|internal-|sg-|(xn--|sthree-|amzn-s3-demo-)")


# What all services take in a tag: some take more, and spaces at its ends.
_OF_A_TAG = r"[A-Za-z0-9_.:/=+@-]"
_TAG_TEXT = rf"{_OF_A_TAG}(({_OF_A_TAG}| )*{_OF_A_TAG})?"
# A resource takes 50 tags, of which ten are left to the deployment and to AWS itself.
_MOST_TAGS = 40
# The deployment's own. IAM takes two keys for one that differ in case alone.
_KEPT_TAGS = frozenset({"name", "service", "environment", "stack", "amazonecsmanaged"})


def _is_free(key: str) -> bool:
    """Whether a tag may have this key: neither AWS nor the deployment has it for its own."""
    return not key.lower().startswith("aws:") and key.lower() not in _KEPT_TAGS


_TagKey = Annotated[str, Field(pattern=rf"^{_TAG_TEXT}$", max_length=128), only(_is_free)]
_TagValue = Annotated[str, Field(pattern=rf"^({_TAG_TEXT})?$", max_length=256)]


def reserved(name: str) -> bool:
    """Whether AWS keeps names that begin like this for itself."""
    return _RESERVED.match(f"{name}-") is not None


class GeneralSettings(Group):
    """Profile and names."""

    profile: str = Field(default="medium", json_schema_extra={"enum": list(PROFILES)})
    """Named set of values that every setting below overrides."""
    service_name: str = Field(default="pypiserver", pattern=NAME, json_schema_extra={"takes": NAME_TAKES})
    """Prefix of the names of resources, and the tag `service`. In another program the component's name is the prefix,
    and the default of this setting."""
    environment: Annotated[str, only(lambda value: not value.lower().startswith("aws:"))] = Field(
        default="development",
        pattern=rf"^{_TAG_TEXT}$",
        max_length=256,
        json_schema_extra={
            "takes": "1 to 256 letters, digits, spaces and `_.:/=+@-`, without a space at either end, and not "
            "beginning with aws:"
        },
    )
    """The tag `environment`."""
    tags: Annotated[Mapping[_TagKey, _TagValue], OBJECTS] = Field(
        default={},
        max_length=_MOST_TAGS,
        json_schema_extra={
            "takes": f"a JSON object of at most {_MOST_TAGS} tags, key to value, of letters, digits, spaces and "
            "`_.:/=+@-`, without the keys Name, service, environment, stack, AmazonECSManaged and those that begin "
            'with aws:, such as {"cost-center": "42"}'
        },
    )
    """Further tags of every resource that takes tags, such as those by which you split your bill."""
    deletion_protection: bool = True
    """Protect the balancer, the file system and the VPC against deletion."""

    def contradictions(self) -> Iterator[Problem]:
        """Names that AWS keeps for itself."""
        if reserved(self.service_name):
            allowed = (
                "does not begin with aws, ecs, fargate, internal-, sg-, xn--, sthree- or amzn-s3-demo-, which AWS "
                "keeps for itself"
            )
            yield self.refused("service_name", allowed)
