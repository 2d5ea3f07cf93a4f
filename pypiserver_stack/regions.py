"""What has to be in the region of the stack, and says where it is."""

from __future__ import annotations

from collections.abc import Iterator

import pulumi
import pulumi_aws as aws

from pypiserver_stack.invoke_options import invoke_options
from pypiserver_stack.private_ecr import repository
from pypiserver_stack.settings import Settings, SettingsError
from pypiserver_stack.settings.problems import Problem

_ARNS = (
    "certificate_arn",
    "efs_kms_key_arn",
    "root_volume_kms_key_arn",
    "secret_kms_key_arn",
    "log_kms_key_arn",
    "alarm_topic_arns",
)


def refuse_other_regions(settings: Settings, opts: pulumi.ResourceOptions | None) -> None:
    """Hold the settings against the region that the stack is deployed to, before AWS does so half way.

    Args:
        opts: those of the component, for its provider.

    Raises:
        SettingsError: some are of another region.
    """
    places = list(_places(settings))
    if not places:
        return
    region = aws.get_region(opts=invoke_options(opts)).region
    problems = [Problem(key, value, f"in {region}, as the stack is") for key, value, place in places if place != region]
    if problems:
        raise SettingsError(problems)


def _places(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Setting, value, and the region that the value names."""
    for key in _ARNS:
        given = getattr(settings, key)
        for arn in given if isinstance(given, tuple) else [given]:
            if isinstance(arn, str):
                yield key, arn, arn.split(":")[3]
    # With NAT an image may come from anywhere; the endpoints of a network without it are those of its own region.
    without_nat = settings.nat_gateways == "none" and not settings.subnets_given
    if without_nat and (private := repository(settings.image)):
        yield "image", settings.image, private.region
