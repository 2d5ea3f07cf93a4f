"""What the deployment is called, and how large it is."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from pypiserver_stack.settings.kinds import Group
from pypiserver_stack.settings.problems import Problem
from sizing.profiles import PROFILES


class GeneralSettings(Group):
    """Profile and names."""

    profile: str = Field(
        default="medium",
        description="Named set of values that every setting below overrides.",
        json_schema_extra={"enum": list(PROFILES)},
    )
    service_name: str = Field(
        default="pypiserver",
        # Names of balancers end at 32 characters, of which Pulumi adds eight.
        pattern=r"^[a-z][a-z0-9-]{0,18}[a-z0-9]$",
        description="What names of resources begin with; also the tag `service`.",
        json_schema_extra={"takes": "2 to 20 lower-case letters, digits and hyphens, the first a letter"},
    )
    environment: str = Field(
        default="development",
        pattern=r"^[A-Za-z0-9_ .:/=+@-]+$",
        max_length=256,
        description="The tag `environment`.",
        json_schema_extra={"takes": "what AWS takes as the value of a tag"},
    )
    deletion_protection: bool = Field(
        default=True, description="Protect the balancer and the file system against deletion."
    )

    def contradictions(self) -> Iterator[Problem]:
        """Names that ECS keeps for its own capacity providers."""
        if self.service_name.startswith(("aws", "ecs", "fargate")):
            allowed = "does not begin with aws, ecs or fargate, which no capacity provider's name may"
            yield Problem("service_name", self.service_name, allowed)
