"""Secret header by which the balancer recognizes the stack's own distribution."""

from __future__ import annotations

import pulumi
import pulumi_random as random

from pypiserver_stack.settings.groups.credentials import CredentialSettings

HEADER = "X-Origin-Verify"


class OriginHeader:
    """A value for each generation of the password, so that a rotation replaces it too, in the same steps.

    CloudFront's addresses are in the balancer's security group, and they are those of anybody's distribution.
    """

    def __init__(self, name: str, settings: CredentialSettings, parent: pulumi.Resource) -> None:
        values = {
            # The balancer compares without regard to case: 36^32 possibilities, 165 bits.
            number: random.RandomPassword(
                f"{name}-origin-{number}", length=32, special=False, opts=pulumi.ResourceOptions(parent=parent)
            ).result
            for number in settings.password_generations
        }
        self.accepted = list(values.values())
        """Values that the balancer accepts."""
        self.sent = values[settings.published_generation]
        """Value that the distribution adds to each request. In a rotation the balancer accepts it before, and after."""
